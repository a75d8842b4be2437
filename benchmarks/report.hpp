// The results of a benchmark: a table for people, JSON for programs.
// SPDX-License-Identifier: MIT
#pragma once
#include "race.hpp"

struct row {
  std::string name, policy, precision;
  int threads = 1;
  timing ours;
  std::string peer;  ///< empty: there is none
  timing theirs;
  double peer_call_ms = 0;  ///< what an empty call of the peer costs, contained in `theirs`
  double apart = 0;         ///< difference of the outputs
  double operations = 0;    ///< floating-point, of one call

  static constexpr double agree = 1e-4;
  bool comparable() const { return !peer.empty() && apart <= agree; }
  double ratio() const { return theirs.min / ours.min; }
};

/// Prints what one race gave; above 1 ours is faster.
inline void print_heading() {
  std::printf("%-12s %-20s %2s %10s %10s %8s  %-16s %10s %7s  %s\n", "name", "policy", "n",
              "ms (best)", "(median)", "GFLOP/s", "peer", "ms (best)", "ratio",
              "outputs differ by");
}
inline void print(const row& r) {
  std::printf("%-12s %-20s %2d %10.4f %10.4f %8.1f  ", r.name.c_str(), r.policy.c_str(), r.threads,
              r.ours.min, r.ours.median, r.operations / r.ours.min * 1e-6);
  if (r.peer.empty())
    std::printf("-");
  else
    std::printf("%-16s %10.4f ", r.peer.c_str(), r.theirs.min);
  if (r.comparable())
    std::printf("%7.2f  %.0e", r.ratio(), r.apart);
  else if (!r.peer.empty())
    std::printf("%7s  %.0e: not the same computation", "-", r.apart);
  if (r.peer_call_ms > 0.02 * r.theirs.min) std::printf("  (%.4f of it: the call)", r.peer_call_ms);
  std::printf("\n");
  std::fflush(stdout);
}

/// Error: false when the file cannot be written.
inline bool write_json(const std::string& path, const std::string& bench,
                       const std::vector<row>& rows) {
  std::FILE* file = std::fopen(path.c_str(), "w");
  if (file == nullptr) return false;
  std::fprintf(file, "{\"bench\": \"%s\", \"rows\": [", bench.c_str());
  const char* separator = "\n";
  for (const row& r : rows) {
    std::fprintf(
        file,
        "%s  {\"name\": \"%s\", \"policy\": \"%s\", \"precision\": \"%s\", \"threads\": %d, "
        "\"ms_min\": %.6g, \"ms_median\": %.6g, ",
        separator, r.name.c_str(), r.policy.c_str(), r.precision.c_str(), r.threads, r.ours.min,
        r.ours.median);
    if (r.peer.empty())
      std::fprintf(file, "\"peer\": null, \"peer_ms_min\": null, \"ratio\": null}");
    else
      std::fprintf(file,
                   "\"peer\": \"%s\", \"peer_ms_min\": %.6g, \"peer_call_ms\": %.6g, \"ratio\": ",
                   r.peer.c_str(), r.theirs.min, r.peer_call_ms);
    if (r.comparable())
      std::fprintf(file, "%.6g}", r.ratio());
    else if (!r.peer.empty())
      std::fprintf(file, "null}");
    separator = ",\n";
  }
  std::fprintf(file, "\n]}\n");
  return std::fclose(file) == 0;
}
