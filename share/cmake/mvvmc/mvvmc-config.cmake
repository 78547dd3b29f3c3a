# mvvmc for CMake 3.20 and later.
#
#     find_package(mvvmc REQUIRED PATHS node_modules/mvvmc)
#     add_executable(bc bc.c)
#     mvvm_add_module(bc POLICY counter-loop THRESHOLD_BITS 16)
#
# mvvm_add_module(<target>
#                 [POLICY <policy>...]       function, loop, counter-loop, loop-dirty, br, every; several combine.
#                                            Default: counter-loop
#                 [THRESHOLD_BITS <0-30>]    counted points fire once in 2^x iterations
#                 [OPT_LEVEL <0-3>] [SIZE_LEVEL <0-3>]
#                 [OUTPUT <file>]            default: <name of the target's file>.mvvm.wasm, beside it
#                 [OPTIONS <option>...])     other options of mvvmc, as they are
#
# compiles the WebAssembly module that the executable target makes (or, if it is imported, is). It adds the target
# <target>.mvvm, which is part of `all`, and sets the property MVVM_MODULE of <target> to the path of the compiled module.

include_guard(GLOBAL)

find_program(MVVM_NODE node REQUIRED DOC "Node 20 or later, which runs mvvmc")
get_filename_component(_mvvmc_package "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
set(MVVMC_SCRIPT "${_mvvmc_package}/dist/compiler/cli/mvvmc.js" CACHE FILEPATH "The command mvvmc")

function(mvvm_add_module target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "THRESHOLD_BITS;OPT_LEVEL;SIZE_LEVEL;OUTPUT" "POLICY;OPTIONS")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "mvvm_add_module(${target}): unknown arguments ${arg_UNPARSED_ARGUMENTS}")
  endif()
  if(arg_KEYWORDS_MISSING_VALUES)
    message(FATAL_ERROR "mvvm_add_module(${target}): no value for ${arg_KEYWORDS_MISSING_VALUES}")
  endif()

  set(flags ${arg_OPTIONS})
  foreach(policy IN LISTS arg_POLICY)
    if(policy STREQUAL "function")
      list(APPEND flags --enable-checkpoint)
    elseif(policy MATCHES "^(loop|counter-loop|loop-dirty|br|every)$")
      list(APPEND flags --enable-${policy}-checkpoint)
    else()
      message(FATAL_ERROR "mvvm_add_module(${target}): there is no policy ${policy}; "
                          "there are function, loop, counter-loop, loop-dirty, br and every")
    endif()
  endforeach()
  foreach(level THRESHOLD_BITS OPT_LEVEL SIZE_LEVEL)
    if(DEFINED arg_${level})
      string(REPLACE "_" "-" option "${level}")
      string(TOLOWER "${option}" option)
      list(APPEND flags "--${option}=${arg_${level}}")
    endif()
  endforeach()

  get_target_property(imported ${target} IMPORTED)
  if(imported)
    get_target_property(input ${target} IMPORTED_LOCATION)
    get_filename_component(name "${input}" NAME_WLE)
    set(folder "${CMAKE_CURRENT_BINARY_DIR}")
  else()
    set(input "$<TARGET_FILE:${target}>")
    get_target_property(name ${target} OUTPUT_NAME)
    if(NOT name)
      set(name ${target})
    endif()
    get_target_property(folder ${target} RUNTIME_OUTPUT_DIRECTORY)
    if(NOT folder)
      set(folder "${CMAKE_CURRENT_BINARY_DIR}")
    endif()
  endif()
  set(output "${folder}/${name}.mvvm.wasm")
  if(DEFINED arg_OUTPUT)
    get_filename_component(output "${arg_OUTPUT}" ABSOLUTE BASE_DIR "${CMAKE_CURRENT_BINARY_DIR}")
  endif()

  add_custom_command(
    OUTPUT "${output}"
    COMMAND "${MVVM_NODE}" "${MVVMC_SCRIPT}" ${flags} -o "${output}" "${input}"
    DEPENDS ${target} "${input}" "${MVVMC_SCRIPT}"
    COMMENT "Compiling ${name}.mvvm.wasm"
    VERBATIM)
  add_custom_target(${target}.mvvm ALL DEPENDS "${output}")
  set_target_properties(${target} PROPERTIES MVVM_MODULE "${output}")
endfunction()
