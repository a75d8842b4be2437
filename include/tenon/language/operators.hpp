// All operators and layers: what a lambda may call on its handles. Nothing is declared here; the
// families stand in files of their own: map (unary, binary, logic), move (move, slice, extend),
// contract, window, reduce, gather, scan, and what is composed of them.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/language/binary.hpp>
#include <tenon/language/compose.hpp>
#include <tenon/language/contract.hpp>
#include <tenon/language/convolution.hpp>
#include <tenon/language/extend.hpp>
#include <tenon/language/gather.hpp>
#include <tenon/language/gru.hpp>
#include <tenon/language/layer.hpp>
#include <tenon/language/logic.hpp>
#include <tenon/language/lstm.hpp>
#include <tenon/language/map.hpp>
#include <tenon/language/move.hpp>
#include <tenon/language/normalization.hpp>
#include <tenon/language/quantize.hpp>
#include <tenon/language/reduce.hpp>
#include <tenon/language/scan.hpp>
#include <tenon/language/slice.hpp>
#include <tenon/language/transposed_convolution.hpp>
#include <tenon/language/unary.hpp>
#include <tenon/language/window.hpp>
