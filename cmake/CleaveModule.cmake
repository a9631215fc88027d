# One library per module. A module says which other modules it may include; a ctest per module greps its
# includes against that list (cmake/check_reach.cmake).

set(CLEAVE_WARNINGS -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wnon-virtual-dtor
                    -Woverloaded-virtual -Wold-style-cast)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  list(APPEND CLEAVE_WARNINGS -Wno-restrict)  # false positives in std::string of g++ 12
endif()
if(CLEAVE_WERROR)
  list(APPEND CLEAVE_WARNINGS -Werror)
endif()

add_library(cleave_build_flags INTERFACE)
target_compile_options(cleave_build_flags INTERFACE ${CLEAVE_WARNINGS})
if(CLEAVE_SANITIZE)
  target_compile_options(cleave_build_flags INTERFACE -fsanitize=${CLEAVE_SANITIZE} -fno-sanitize-recover=all
                                                      -fno-omit-frame-pointer)
  target_link_options(cleave_build_flags INTERFACE -fsanitize=${CLEAVE_SANITIZE})
endif()

# What most files include, compiled once per target where CLEAVE_PRECOMPILE asks for it.
set(CLEAVE_COMMON_HEADERS <algorithm> <array> <cmath> <cstdint> <functional> <map> <memory> <optional> <set> <span>
                          <string> <string_view> <unordered_map> <variant> <vector>)
function(cleave_precompile target)
  if(CLEAVE_PRECOMPILE)
    target_precompile_headers(${target} PRIVATE ${CLEAVE_COMMON_HEADERS})
  endif()
endfunction()

# cleave_module(NAME graph DEPENDS core SOURCES ... HEADERS ... [LIBRARIES ...] [PUBLIC_LIBRARIES ...] [ROOT dir])
#   DEPENDS           modules whose headers this one may include (public).
#   LIBRARIES         outside libraries used in .cpp files only; their headers count as system headers.
#   PUBLIC_LIBRARIES  outside libraries that the module's own headers include.
#   ROOT              include root, default src/ (the annexes use the repository root).
function(cleave_module)
  cmake_parse_arguments(M "" "NAME;ROOT" "DEPENDS;SOURCES;HEADERS;LIBRARIES;PUBLIC_LIBRARIES" ${ARGN})
  if(NOT M_ROOT)
    set(M_ROOT "${PROJECT_SOURCE_DIR}/src")
  endif()
  add_library(cleave_${M_NAME} STATIC ${M_SOURCES})
  add_library(cleave::${M_NAME} ALIAS cleave_${M_NAME})
  target_sources(cleave_${M_NAME} PUBLIC FILE_SET HEADERS BASE_DIRS "${M_ROOT}" FILES ${M_HEADERS})
  target_link_libraries(cleave_${M_NAME} PRIVATE cleave_build_flags)
  cleave_precompile(cleave_${M_NAME})
  foreach(dependency IN LISTS M_DEPENDS)
    target_link_libraries(cleave_${M_NAME} PUBLIC cleave::${dependency})
  endforeach()
  foreach(library IN LISTS M_PUBLIC_LIBRARIES)
    target_link_libraries(cleave_${M_NAME} PUBLIC ${library})
  endforeach()
  foreach(library IN LISTS M_LIBRARIES)
    target_link_libraries(cleave_${M_NAME} PRIVATE ${library})
    if(TARGET ${library})
      get_target_property(dirs ${library} INTERFACE_INCLUDE_DIRECTORIES)
      if(dirs)
        target_include_directories(cleave_${M_NAME} SYSTEM PRIVATE ${dirs})
      endif()
    endif()
  endforeach()
  if(CLEAVE_TESTS)
    list(JOIN M_DEPENDS "|" allowed)
    add_test(NAME reach.${M_NAME}
             COMMAND ${CMAKE_COMMAND} -DMODULE=${M_NAME} "-DALLOWED=${allowed}" -DDIR=${CMAKE_CURRENT_SOURCE_DIR}
                     -P ${PROJECT_SOURCE_DIR}/cmake/check_reach.cmake)
  endif()
endfunction()

# Environment of every test. OpenMP and oneDNN come without ThreadSanitizer's instructions.
set(CLEAVE_TEST_ENVIRONMENT "RC_PARAMS=seed=1")  # the same properties in every run
if(CLEAVE_SANITIZE MATCHES thread)
  list(APPEND CLEAVE_TEST_ENVIRONMENT TSAN_OPTIONS=ignore_noninstrumented_modules=1 OMP_WAIT_POLICY=passive)
endif()

# cleave_test(module SOURCES a.cpp b.cpp [MODULES graph exec] [LIBRARIES ...]): one gtest binary, one ctest entry per test.
function(cleave_test name)
  cmake_parse_arguments(T "" "" "SOURCES;MODULES;LIBRARIES" ${ARGN})
  add_executable(test_${name} ${T_SOURCES})
  if(CLEAVE_SANITIZE MATCHES address)
    target_sources(test_${name} PRIVATE "${PROJECT_SOURCE_DIR}/tests/support/leaks.cpp")
  endif()
  target_link_libraries(test_${name} PRIVATE cleave_build_flags cleave_test_support ${T_LIBRARIES} GTest::gtest_main)
  cleave_precompile(test_${name})
  foreach(module IN LISTS T_MODULES)
    target_link_libraries(test_${name} PRIVATE cleave::${module})
  endforeach()
  target_compile_definitions(test_${name} PRIVATE
    CLEAVE_SHARED_DIR="${CLEAVE_SHARED}" CLEAVE_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  add_test(NAME ${name} COMMAND test_${name})
  set_tests_properties(${name} PROPERTIES TIMEOUT 1200 ENVIRONMENT "${CLEAVE_TEST_ENVIRONMENT}")
endfunction()
