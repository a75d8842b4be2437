// Drawing: shapes and text as an SVG document.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstdio>
#include <string>

namespace svg {

/// Text for an XML document. Bytes that XML cannot hold, and what is no UTF-8, become question
/// marks.
inline std::string escaped(const std::string& s) {
  std::string text;
  for (std::size_t at = 0; at < s.size();) {
    const auto byte = [&](std::size_t i) {
      return i < s.size() ? static_cast<unsigned char>(s[i]) : 0u;
    };
    const unsigned first = byte(at);
    const std::size_t length = first < 0x80             ? 1
                               : (first & 0xe0) == 0xc0 ? 2
                               : (first & 0xf0) == 0xe0 ? 3
                               : (first & 0xf8) == 0xf0 ? 4
                                                        : 0;
    unsigned point = length == 1 ? first : first & (0x7fu >> length);
    bool valid = length > 0;
    for (std::size_t i = 1; i < length; ++i) {
      valid = valid && (byte(at + i) & 0xc0) == 0x80;
      point = point << 6 | (byte(at + i) & 0x3f);
    }
    constexpr unsigned least[] = {0, 0, 0x80, 0x800, 0x10000};
    valid = valid && point >= least[length] && point >= 0x20 && point <= 0x10ffff &&
            (point < 0xd800 || point > 0xdfff) && point != 0xfffe && point != 0xffff;
    if (!valid)
      text += "?";
    else if (first == '<' || first == '>' || first == '&' || first == '"')
      text += "&#" + std::to_string(first) + ";";
    else
      text += s.substr(at, length);
    at += valid ? length : 1;
  }
  return text;
}

inline std::string number(double x) {
  char text[40];
  std::snprintf(text, sizeof text, "%.1f", x);
  std::string s = text;
  return s.ends_with(".0") ? s.substr(0, s.size() - 2) : s;
}
/// ` name="value"`
inline std::string attribute(const char* name, const std::string& value) {
  return std::string(" ") + name + "=\"" + value + "\"";
}
inline std::string attribute(const char* name, double value) {
  return attribute(name, number(value));
}

/// A document that grows; the size is given at the end.
class document {
 public:
  /// `style`: further attributes, such as svg::attribute("class", "arena").
  void rectangle(double x, double y, double width, double height, const std::string& style,
                 const std::string& hover = {}) {
    body_ += "<rect" + attribute("x", x) + attribute("y", y) + attribute("width", width) +
             attribute("height", height) + style;
    body_ += hover.empty() ? "/>\n" : "><title>" + escaped(hover) + "</title></rect>\n";
  }
  void text(double x, double y, const std::string& s, const std::string& style = {}) {
    body_ +=
        "<text" + attribute("x", x) + attribute("y", y) + style + ">" + escaped(s) + "</text>\n";
  }
  void line(double x1, double y1, double x2, double y2, const std::string& style) {
    body_ += "<line" + attribute("x1", x1) + attribute("y1", y1) + attribute("x2", x2) +
             attribute("y2", y2) + style + "/>\n";
  }
  /// `d`: the commands of a path.
  void path(const std::string& d, const std::string& style, const std::string& hover = {}) {
    body_ += "<path" + attribute("d", d) + style;
    body_ += hover.empty() ? "/>\n" : "><title>" + escaped(hover) + "</title></path>\n";
  }
  /// The finished document. `rules` are its style sheet.
  std::string finish(double width, double height, const std::string& title,
                     const std::string& rules) const {
    return "<svg xmlns=\"http://www.w3.org/2000/svg\"" + attribute("width", width) +
           attribute("height", height) +
           attribute("viewBox", "0 0 " + number(width) + " " + number(height)) +
           " font-family=\"sans-serif\">\n<title>" + escaped(title) + "</title>\n<style>\n" +
           rules + "</style>\n" + "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n" +
           body_ + "</svg>\n";
  }

 private:
  std::string body_;
};

/// About how wide a text of this size is.
inline double width_of(const std::string& s, double size) {
  return static_cast<double>(s.size()) * size * 0.56;
}
/// The text, cut to about `width`.
inline std::string fitting(const std::string& s, double size, double width) {
  if (width_of(s, size) <= width) return s;
  const auto room = static_cast<std::size_t>(width / (size * 0.56));
  return room < 3 ? "" : s.substr(0, room - 2) + "..";
}

}  // namespace svg
