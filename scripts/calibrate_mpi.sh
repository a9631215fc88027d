#!/usr/bin/env bash
# Calibrates one share of the images per process of a parallel job, then joins the shares. Same bytes as one run.
#
#   mpirun -n 4 scripts/calibrate_mpi.sh OUTPUT.json MODEL --images DIR [calibrate's other options]
#   srun -n 4   scripts/calibrate_mpi.sh ...
#
# OUTPUT.json must lie on a file system that all processes share. Rank and size come from the launcher: Open MPI, MPICH or
# Slurm. Process 0 waits for all shares, at most CLEAVE_WAIT_S seconds (default 86400) after its own; a share that fails
# leaves OUTPUT.json.JOB.part-N.json.failed and fails the job. CLEAVE names the program (default: cleave on the PATH).
set -euo pipefail

if [ "$#" -lt 4 ]; then
  echo "usage: mpirun -n N $0 OUTPUT.json MODEL --images DIR [options]" >&2
  exit 2
fi
output=$1
shift
rank=${OMPI_COMM_WORLD_RANK:-${PMI_RANK:-${PMIX_RANK:-${SLURM_PROCID:-}}}}
size=${OMPI_COMM_WORLD_SIZE:-${PMI_SIZE:-${SLURM_NTASKS:-}}}
if [ -z "$rank" ] || [ -z "$size" ]; then
  echo "$0: no rank and size: start it with mpirun or srun" >&2
  exit 2
fi
cleave=${CLEAVE:-cleave}
job=${OMPI_MCA_ess_base_jobid:-${PMIX_NAMESPACE:-${SLURM_JOB_ID:-0}}}
job=${job//[^A-Za-z0-9]/_}
part() { printf '%s.%s.part-%s.json' "$output" "$job" "$1"; }

own=$(part "$rank")
rm -f "$own" "$own.failed"
if ! "$cleave" calibrate "$@" --shard "$rank/$size" --quiet -o "$own" >&2; then
  touch "$own.failed"
  echo "$0: share $rank of $size failed" >&2
  exit 1
fi
[ "$rank" -eq 0 ] || exit 0

# A share is written to a temporary file and renamed: once it is there, it is whole.
parts=()
deadline=$((SECONDS + ${CLEAVE_WAIT_S:-86400}))
for ((i = 0; i < size; ++i)); do
  until [ -e "$(part "$i")" ]; do
    if [ -e "$(part "$i").failed" ] || [ "$SECONDS" -ge "$deadline" ]; then
      echo "$0: share $i of $size did not come" >&2
      exit 1
    fi
    sleep 0.2
  done
  parts+=("$(part "$i")")
done
"$cleave" merge "${parts[@]}" -o "$output"
rm -f "${parts[@]}"
