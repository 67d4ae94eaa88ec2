// The one unit that compiles the bodies of Asio and Beast; every other sees declarations.
#include <boost/asio/impl/src.hpp>
#include <boost/beast/src.hpp>
