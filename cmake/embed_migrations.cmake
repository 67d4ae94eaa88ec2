# Embeds numbered .sql files into a generated source, in the order of their numbers.
# Included: defines entente_embed_migrations. Run with -P: writes the source.

if(CMAKE_SCRIPT_MODE_FILE)
    file(GLOB files "${FOLDER}/*.sql")
    list(SORT files)
    set(rows "")
    set(count 0)
    foreach(file ${files})
        get_filename_component(stem "${file}" NAME_WE)
        if(NOT stem MATCHES "^([0-9][0-9][0-9][0-9])_([a-z0-9_]+)$")
            message(FATAL_ERROR "${file}: a migration is named NNNN_name.sql")
        endif()
        set(name "${CMAKE_MATCH_2}")
        string(REGEX REPLACE "^0+" "" number "${CMAKE_MATCH_1}")
        if(number STREQUAL previous)
            message(FATAL_ERROR "${file}: two migrations have the number ${number}")
        endif()
        set(previous "${number}")
        file(READ "${file}" text)
        string(APPEND rows
            "    Migration{${number}, \"${name}\", R\"entente_sql(${text})entente_sql\"},\n")
        math(EXPR count "${count} + 1")
    endforeach()
    file(WRITE "${OUTPUT}" "// Generated from ${FOLDER}\n#include \"storage/migrations.hpp\"\n\n#include <array>\n\n"
        "namespace entente::storage {\n\nstd::span<const Migration> ${FUNCTION}()\n{\n"
        "    static constexpr std::array<Migration, ${count}> list = {\n${rows}    };\n"
        "    return list;\n}\n\n}  // namespace entente::storage\n")
    return()
endif()

set(ENTENTE_EMBED_SCRIPT "${CMAKE_CURRENT_LIST_FILE}")

# Adds to `target` a source that defines `std::span<const Migration> function()`.
function(entente_embed_migrations target function folder)
    file(GLOB files CONFIGURE_DEPENDS "${folder}/*.sql")
    set(output "${CMAKE_CURRENT_BINARY_DIR}/${function}.cpp")
    add_custom_command(OUTPUT "${output}"
        COMMAND ${CMAKE_COMMAND} -DFOLDER=${folder} -DOUTPUT=${output} -DFUNCTION=${function}
            -P "${ENTENTE_EMBED_SCRIPT}"
        DEPENDS ${files} "${ENTENTE_EMBED_SCRIPT}"
        COMMENT "Embedding migrations of ${folder}" VERBATIM)
    target_sources(${target} PRIVATE "${output}")
endfunction()
