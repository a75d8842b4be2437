// How graphs on a Vulkan device enter a race.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/base/describe.hpp>
#include <tenon/vulkan.hpp>
#include "task.hpp"

/// A bound model on a device and one caller of it.
template <class Policy> struct device_caller {
  using model_type = tn::model<tn::dynamic, Policy>;
  model_type model;
  tn::instance<model_type> instance;
  std::vector<tn::const_view> in;
  numbers out;
  tn::mutable_view result;

  device_caller(const task& t, tn::vulkan_context& context)
      : model(t.table, t.source(), context),
        instance(model),
        out(t.output_size),
        result(tn::flat_view_of(out.data(), static_cast<tn::i64>(out.size()))) {
    if (!model.fault().ok()) fail(t.name + ": " + describe(model.fault()));
    for (const numbers& x : t.inputs)
      in.push_back(tn::flat_view_of(x.data(), static_cast<tn::i64>(x.size())));
  }
  void call() {
    if (const tn::status s = instance.run(in, {&result, 1}); !s.ok()) fail(describe(s));
  }
};
template <class Policy> contender enter_device(const task& t, tn::vulkan_context& context) {
  const auto own = std::make_shared<device_caller<Policy>>(t, context);
  return {Policy::name, [own](double seconds) { return time_calls(seconds, [&] { own->call(); }); },
          [own] { return own->out; }};
}

/// The words behind the program's name.
struct device_options {
  std::string json, device, only;
  double seconds = 1;  ///< for each contender
  bool understood = true;

  device_options(int argc, char** argv) {
    for (int i = 1; i < argc; i += 2) {
      const std::string word = argv[i], value = i + 1 < argc ? argv[i + 1] : "";
      if (value.empty()) understood = false;
      if (word == "--json")
        json = value;
      else if (word == "--device")
        device = value;
      else if (word == "--only")
        only = value;
      else if (word == "--seconds")
        seconds = std::atof(value.c_str());
      else
        understood = false;
    }
  }
  tn::vulkan_options context() const {
    tn::vulkan_options o;
    if (!device.empty()) o.device = device.c_str();
    return o;
  }
};

/// Ends the program where there is no device. Not an error: there is nothing to measure.
inline void need(const tn::vulkan_context& c) {
  if (c.ok()) return;
  std::printf("bench: %s\n", describe(c.fault()).c_str());
  std::exit(c.fault().what == tn::code::no_device ? 77 : 1);
}
