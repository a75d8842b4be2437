// Tests policies against `reference`, on random graphs or on yours. Not part of tenon.hpp: it
// allocates as it likes.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/tenon.hpp>
#include <tenon/trial/differential.hpp>
