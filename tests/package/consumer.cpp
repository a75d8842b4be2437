// What a user of the installed library writes; built against each kind of package.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>

int main() { return 0; }
