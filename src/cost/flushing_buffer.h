#pragma once

#include <cstdint>
#include <limits>
#include <vector>

namespace cleave::cost {

/// A buffer that forgets everything once it is full, for streams that never demand an address twice in a pass.
class DistinctStream {
 public:
  explicit DistinctStream(std::int64_t words) : words_(words) {}

  /// `length` addresses not seen before, all of them `passes` times in the same order. Where they do not fit, none is
  /// still there when it is due again. Where they do, the buffer empties at most once, in the first pass; the second
  /// brings back what went.
  void demand(std::int64_t length, std::int64_t passes) {
    if (length >= words_) {
      reads_ += length * passes;
      held_ = (held_ + length * passes) % words_;
      return;
    }
    reads_ += length;
    const std::int64_t forgotten = words_ - held_;
    if (length < forgotten) {
      held_ += length;
    } else if (passes == 1) {
      held_ = length - forgotten;
    } else {
      reads_ += forgotten;
      held_ = length;
    }
  }

  std::int64_t reads() const { return reads_; }

 private:
  std::int64_t words_;
  std::int64_t held_ = 0;
  std::int64_t reads_ = 0;
};

/// The same buffer for any stream: each address carries the number of the filling it was last read in.
class FlushingBuffer {
 public:
  FlushingBuffer(std::int64_t addresses, std::int64_t words)
      : filling_of_(static_cast<std::size_t>(addresses)), words_(words) {}

  void demand(std::int64_t address) {
    ++position_;
    std::uint32_t& filling = filling_of_[static_cast<std::size_t>(address)];
    if (filling == filling_) return;
    filling = filling_;
    ++reads_;
    if (++held_ < words_) return;
    held_ = 0;
    ++filling_;
    emptied_at_ = position_;
  }

  bool is_done() const { return false; }

  /// Runs `pass` that many times. What the buffer holds afterwards follows from where it was last emptied: once that
  /// place repeats, or there is none, so do the reads.
  template <typename Pass>
  void repeat(std::int64_t times, Pass pass) {
    std::int64_t emptied_before = 0;
    for (std::int64_t done = 1; done <= times; ++done) {
      const std::int64_t reads_before = reads_;
      position_ = emptied_at_ = 0;
      pass(*this);
      if (emptied_at_ == 0) return;
      if (emptied_at_ == emptied_before) {
        reads_ += (reads_ - reads_before) * (times - done);
        return;
      }
      emptied_before = emptied_at_;
    }
  }

  std::int64_t reads() const { return reads_; }

 private:
  std::vector<std::uint32_t> filling_of_;
  std::int64_t words_;
  std::uint32_t filling_ = 1;
  std::int64_t held_ = 0;
  std::int64_t position_ = 0;
  std::int64_t emptied_at_ = 0;
  std::int64_t reads_ = 0;
};

/// Finds the shortest way, in accesses, from one demand of an address to its next one.
class RecurrenceGauge {
 public:
  RecurrenceGauge(std::int64_t addresses, std::int64_t words)
      : last_(static_cast<std::size_t>(addresses)), words_(words) {}

  /// Fewer than 2^32 of them.
  void demand(std::int64_t address) {
    ++position_;
    std::uint32_t& last = last_[static_cast<std::size_t>(address)];
    if (last != 0 && position_ - last < words_) is_short_ = true;
    last = position_;
  }

  /// From here on only demands matter that come up to `words` accesses later: the next pass of the same stream.
  void begin_next_pass() { end_ = position_ + words_; }
  /// Further accesses change nothing.
  bool is_done() const { return is_short_ || position_ >= end_; }

  /// No buffer of `words` words ever still holds an address when it is due again: each demand before it is a read.
  bool never_hits() const { return !is_short_; }
  std::int64_t accesses() const { return position_; }

 private:
  std::vector<std::uint32_t> last_;
  std::int64_t words_;
  std::uint32_t position_ = 0;
  std::int64_t end_ = std::numeric_limits<std::int64_t>::max();
  bool is_short_ = false;
};

}  // namespace cleave::cost
