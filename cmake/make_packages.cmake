# cmake -D BUILD=FOLDER -D SOURCE=FOLDER -P make_packages.cmake: manuals, then packages. Their time is SOURCE_DATE_EPOCH,
# by default that of the last commit, so that the same source gives the same bytes.
if(NOT DEFINED ENV{SOURCE_DATE_EPOCH})
  execute_process(COMMAND git -C ${SOURCE} log -1 --format=%ct OUTPUT_VARIABLE epoch OUTPUT_STRIP_TRAILING_WHITESPACE
    RESULT_VARIABLE code ERROR_QUIET)
  if(NOT code EQUAL 0)
    set(epoch 0)
  endif()
  set(ENV{SOURCE_DATE_EPOCH} ${epoch})
endif()
string(TIMESTAMP date "%Y-%m-%d" UTC)
file(REMOVE_RECURSE ${BUILD}/manuals ${BUILD}/_CPack_Packages)
execute_process(COMMAND ${BUILD}/vtax describe ${BUILD}/manuals ${date} COMMAND_ERROR_IS_FATAL ANY)
# The unit in the source is for a program that was copied by hand.
file(READ ${SOURCE}/packaging/vtax-top.service unit)
string(REPLACE /usr/local/bin/ /usr/bin/ unit "${unit}")
file(WRITE ${BUILD}/manuals/vtax-top.service "${unit}")
file(GLOB pages ${BUILD}/manuals/man1/*.1)
execute_process(COMMAND gzip -9n ${pages} COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND cpack --config ${BUILD}/cpack_settings.cmake WORKING_DIRECTORY ${BUILD} COMMAND_ERROR_IS_FATAL ANY)
