#include "mutator.h"

#include <array>

namespace kvsbridge::testing {
namespace {

/// What stands where something else belongs.
constexpr std::array<const char*, 22> kRubbish = {
    "-1",       "0",           "4294967296", "18446744073709551616",
    "65536",    "256",         "%s%n",       "\"",
    "'",        "\\",          " ",          "  ",
    "\t",       ":",           "/",          "=",
    ";;;",      "a=",          "m=video",    "\xC3\xA9",
    "\xFF\xFE", "AAAAAAAAAAAA"};

}  // namespace

std::size_t Mutator::Pick(std::size_t below) {
  return std::uniform_int_distribution<std::size_t>(0, below - 1)(random_);
}

std::string Mutator::Damage(std::string text) {
  const std::size_t times = 1 + Pick(4);
  for (std::size_t i = 0; i < times && !text.empty(); ++i) DamageOnce(text);
  return text;
}

void Mutator::DamageOnce(std::string& text) {
  const std::size_t at = Pick(text.size());
  const std::size_t line_start =
      text.rfind('\n', at) == std::string::npos ? 0 : text.rfind('\n', at) + 1;
  const std::size_t next_line =
      text.find('\n', at) == std::string::npos ? text.size() : text.find('\n', at) + 1;
  const std::string line =
      text.substr(std::min(line_start, at), next_line - std::min(line_start, at));
  switch (Pick(9)) {
    case 0:
      text[at] = static_cast<char>(static_cast<unsigned char>(text[at]) ^ (1U << Pick(8)));
      break;
    case 1:
      text.erase(at, 1 + Pick(20));
      break;
    case 2:
      text.insert(at, kRubbish[Pick(kRubbish.size())]);
      break;
    case 3: {
      const std::size_t digit = text.find_first_of("0123456789", at);
      if (digit == std::string::npos) break;
      const std::size_t end = text.find_first_not_of("0123456789", digit);
      text.replace(digit, (end == std::string::npos ? text.size() : end) - digit,
                   kRubbish[Pick(6)]);
      break;
    }
    case 4:
      text.erase(std::min(line_start, at), line.size());
      break;
    case 5:
      text.insert(std::min(line_start, at), line);
      break;
    case 6: {
      text.erase(std::min(line_start, at), line.size());
      text.insert(text.empty() ? 0 : Pick(text.size()), line);
      break;
    }
    case 7: {
      const std::size_t value = text.find_first_of(":= ", at);
      if (value == std::string::npos) break;
      const std::size_t end = text.find_first_of(" ;\r\n", value + 1);
      text.replace(value + 1, (end == std::string::npos ? text.size() : end) - value - 1,
                   kRubbish[Pick(kRubbish.size())]);
      break;
    }
    default:
      text.resize(at);
  }
}

}  // namespace kvsbridge::testing
