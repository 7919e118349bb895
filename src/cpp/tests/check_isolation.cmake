# Fails where an object compiled for one instruction set holds a shareable (weak) function from
# outside its namespace, which the linker might give to other code and so to CPUs that cannot run
# it, or a static initialiser, which would run before the CPU is asked.
string(REPLACE "|" ";" objects "${OBJECTS}")
# The namespace stands in a name in full, or short where it came before.
string(LENGTH "${TARGET}" length)
foreach(object IN LISTS objects)
  execute_process(COMMAND ${NM} --defined-only ${object} OUTPUT_VARIABLE symbols
                  COMMAND_ERROR_IS_FATAL ANY)
  string(REGEX MATCHALL "[^\n]+" lines "${symbols}")
  foreach(line IN LISTS lines)
    if(line MATCHES " W " AND NOT line MATCHES "(9multiconv|S_)${length}${TARGET}")
      list(APPEND faults "${object}: shared code: ${line}")
    elseif(line MATCHES "_GLOBAL__(sub_)?I")
      list(APPEND faults "${object}: static initialiser: ${line}")
    endif()
  endforeach()
endforeach()
if(faults)
  list(JOIN faults "\n" text)
  message(FATAL_ERROR "${text}")
endif()
