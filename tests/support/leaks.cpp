// What LeakSanitizer shall not report in a test: libomp lets go of its thread pool only when the process does.
extern "C" const char* __lsan_default_suppressions();  // NOLINT(bugprone-reserved-identifier): LeakSanitizer's name

extern "C" const char* __lsan_default_suppressions() {
  return "leak:libomp.so";
}
