# Writes documents as C++: cmake -DOUTPUT=FILE -DFOLDER=FOLDER -DDOCUMENTS="a.md;b.md" -P THIS
set(text "// Written by protocol_texts.cmake.\n#include \"conformance/report/protocol_texts.hpp\"\n
namespace entente::conformance {\n
std::vector<std::pair<std::string_view, std::string_view>> protocol_texts()\n{\n    return {\n")
foreach(document IN LISTS DOCUMENTS)
    file(READ "${FOLDER}/${document}" octets)
    string(APPEND text "{\"${document}\", R\"~~~~(${octets})~~~~\"},\n")
endforeach()
string(APPEND text "    };\n}\n\n}  // namespace entente::conformance\n")
file(WRITE "${OUTPUT}" "${text}")
