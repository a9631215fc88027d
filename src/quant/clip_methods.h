#pragma once

#include <span>
#include <string>

namespace cleave::quant {

/// How a clip is chosen, with the number that some methods take.
struct ClipMethod {
  enum class Kind {
    kMinMax,
    kAverage,
    kPercentile,
    kEntropy,
    kAciqLaplace,
    kAciqGauss,
    kLaplace,
    kGauss,
    kMse,
    kLp,
    kAuto
  };

  Kind kind = Kind::kAuto;
  double parameter = 0;  ///< percentile: per cent of the values kept, in (0, 100]; lp: the exponent p > 0; else 0

  static const ClipMethod kMinMax, kAverage, kPercentile, kEntropy, kAciqLaplace, kAciqGauss, kLaplace, kGauss, kMse,
      kAuto;
  static constexpr ClipMethod percentile(double percent) { return {Kind::kPercentile, percent}; }
  static constexpr ClipMethod lp(double p) { return {Kind::kLp, p}; }
  bool operator==(const ClipMethod&) const = default;
};

inline constexpr ClipMethod ClipMethod::kMinMax{Kind::kMinMax};
inline constexpr ClipMethod ClipMethod::kAverage{Kind::kAverage};
inline constexpr ClipMethod ClipMethod::kPercentile{Kind::kPercentile, 99.99};
inline constexpr ClipMethod ClipMethod::kEntropy{Kind::kEntropy};
inline constexpr ClipMethod ClipMethod::kAciqLaplace{Kind::kAciqLaplace};
inline constexpr ClipMethod ClipMethod::kAciqGauss{Kind::kAciqGauss};
inline constexpr ClipMethod ClipMethod::kLaplace{Kind::kLaplace};
inline constexpr ClipMethod ClipMethod::kGauss{Kind::kGauss};
inline constexpr ClipMethod ClipMethod::kMse{Kind::kMse};
inline constexpr ClipMethod ClipMethod::kAuto{Kind::kAuto};

/// The ordered table of methods.
struct ClipMethodRow {
  ClipMethod method;  ///< with the number that stands when none is given
  const char* name;
  const char* number;  ///< what the number behind the name is, "" where there is none
  bool tried_by_auto;
  const char* what;  ///< one line for people
};
std::span<const ClipMethodRow> clip_methods();

/// The names as an option's help lists them: "minmax, average, percentile[-PERCENT], ...".
std::string clip_method_names();
/// The row's name, with "-NUMBER" where the method has one: "percentile-99.99", "lp-2.4".
std::string clip_method_name(const ClipMethod& method);
/// The inverse; a number left out is the row's. Throws Error(kUsage) with the list and "did you mean", or for a number
/// out of its range.
ClipMethod clip_method_from_name(const std::string& name);

}  // namespace cleave::quant
