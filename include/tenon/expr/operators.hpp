// All operators and layers: what a lambda may call on its handles.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/expr/binary.hpp>
#include <tenon/expr/compose.hpp>
#include <tenon/expr/contract.hpp>
#include <tenon/expr/gather.hpp>
#include <tenon/expr/gru.hpp>
#include <tenon/expr/layer.hpp>
#include <tenon/expr/logic.hpp>
#include <tenon/expr/lstm.hpp>
#include <tenon/expr/map.hpp>
#include <tenon/expr/move.hpp>
#include <tenon/expr/normalization.hpp>
#include <tenon/expr/quantize.hpp>
#include <tenon/expr/reduce.hpp>
#include <tenon/expr/scan.hpp>
#include <tenon/expr/unary.hpp>
#include <tenon/expr/window.hpp>
