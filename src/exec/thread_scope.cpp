#include "exec/thread_scope.h"

#include <omp.h>

namespace cleave::exec {
namespace {

/// The n-th set CPU, counted around.
int nth_cpu(const cpu_set_t& cpus, int n) {
  int wanted = n % CPU_COUNT(&cpus);
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &cpus) && wanted-- == 0) return cpu;
  }
  return 0;
}

}  // namespace

ThreadScope::ThreadScope(int threads, std::vector<SavedAffinity>* saved)
    : threads_(threads), before_(omp_get_max_threads()), saved_(saved) {
  omp_set_num_threads(threads);
  if (saved_ != nullptr) pin();
}

ThreadScope::~ThreadScope() {
  if (saved_ != nullptr) unpin();
  omp_set_num_threads(before_);
}

void ThreadScope::pin() {
  saved_->resize(static_cast<std::size_t>(threads_));
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0 || CPU_COUNT(&allowed) == 0) {
    saved_ = nullptr;
    return;
  }
#pragma omp parallel num_threads(threads_)
  {
    const int thread = omp_get_thread_num();
    SavedAffinity& saved = (*saved_)[static_cast<std::size_t>(thread)];
    cpu_set_t own;
    CPU_ZERO(&own);
    CPU_SET(nth_cpu(allowed, thread), &own);
    saved.changed =
        sched_getaffinity(0, sizeof(saved.cpus), &saved.cpus) == 0 && sched_setaffinity(0, sizeof(own), &own) == 0;
  }
}

void ThreadScope::unpin() {
#pragma omp parallel num_threads(threads_)
  {
    SavedAffinity& saved = (*saved_)[static_cast<std::size_t>(omp_get_thread_num())];
    if (saved.changed) sched_setaffinity(0, sizeof(saved.cpus), &saved.cpus);
    saved.changed = false;
  }
}

}  // namespace cleave::exec
