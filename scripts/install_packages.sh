# Sourced by quickstart.sh and test.sh: installs what cleave needs from Debian 12, as root or through sudo.

BUILD_PACKAGES=(
  g++ cmake ninja-build
  libonnx-dev libprotobuf-dev protobuf-compiler libeigen3-dev nlohmann-json3-dev libspdlog-dev libfmt-dev
  libdnnl-dev libopencv-core-dev libopencv-imgproc-dev libopencv-imgcodecs-dev libcli11-dev libssl-dev
  libboost-dev)
TEST_PACKAGES=(libgtest-dev libgmock-dev libbenchmark-dev librapidcheck-dev libonnx-testdata python3 openmpi-bin)

say() { printf '\n== %s\n' "$*"; }

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

# install_packages NAME...: those that are missing, in one go.
install_packages() {
  local missing=()
  local name
  for name in "$@"; do
    dpkg-query -W -f='${Status}' "$name" 2>/dev/null | grep -q 'install ok installed' || missing+=("$name")
  done
  if [ "${#missing[@]}" -eq 0 ]; then
    echo "all Debian packages are there"
    return
  fi
  echo "installing: ${missing[*]}"
  as_root apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# run COMMAND...: shows it, then runs it.
run() {
  printf '\n$ %s\n' "$*"
  "$@"
}
