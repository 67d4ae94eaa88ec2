// main of ententd, on the machine's own files.
#include "daemon/run.hpp"

int main(int argc, char** argv)
{
    return entente::daemon::run_program(argc, argv);
}
