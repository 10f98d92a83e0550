# cmake -D OUT=FILE -D SOURCE=FOLDER -D KIND=TEXT -P write_build_facts.cmake: what `vtax --version` says besides the
# version. It is a file beside the program and no part of it: a commit that changes no code changes no program, and
# booted machines stay.
find_program(GIT git)
set(revision "revision unknown")
if(DEFINED ENV{VTAX_REVISION})
  set(revision "revision $ENV{VTAX_REVISION}")
elseif(GIT)
  execute_process(COMMAND ${GIT} -C ${SOURCE} rev-parse --short=12 HEAD
    OUTPUT_VARIABLE head OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE code ERROR_QUIET)
  if(code EQUAL 0)
    execute_process(COMMAND ${GIT} -C ${SOURCE} status --porcelain --untracked-files=no
      OUTPUT_VARIABLE changes ERROR_QUIET)
    set(revision "revision ${head}")
    if(changes)
      string(APPEND revision ", with changes that are not committed")
    endif()
  endif()
endif()
set(text "${revision}\n${KIND}\n")
set(before "")
if(EXISTS ${OUT})
  file(READ ${OUT} before)
endif()
if(NOT before STREQUAL text)
  file(WRITE ${OUT} "${text}")
endif()
