// Errors as values: no exception leaves or crosses the core.
#pragma once
#include <string>
#include <utility>
#include <variant>

namespace lowp {

enum class Code { kOk, kInvalid, kUnsupported, kMemory, kAborted, kClosed, kInternal, kIndex };

// Ok, or a code with a message that says what was found and what was expected.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Code code, std::string message) : code_(code), message_(std::move(message)) {}
  bool ok() const { return code_ == Code::kOk; }
  Code code() const { return code_; }
  const std::string& message() const { return message_; }

 private:
  Code code_ = Code::kOk;
  std::string message_;
};

inline Status Invalid(std::string message) { return Status(Code::kInvalid, std::move(message)); }
inline Status Unsupported(std::string message) { return Status(Code::kUnsupported, std::move(message)); }

// A value or the Status that explains why there is none.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::move(value)) {}
  Result(Status status) : state_(std::move(status)) {}
  bool ok() const { return state_.index() == 0; }
  T& value() { return std::get<0>(state_); }
  const T& value() const { return std::get<0>(state_); }
  Status status() const { return ok() ? Status() : std::get<1>(state_); }

 private:
  std::variant<T, Status> state_;
};

#define LOWP_RETURN_IF_ERROR(expression)          \
  do {                                            \
    ::lowp::Status status_ = (expression);        \
    if (!status_.ok()) return status_;            \
  } while (false)

#define LOWP_REQUIRE(condition, message)                     \
  do {                                                       \
    if (!(condition)) return ::lowp::Invalid(message);       \
  } while (false)

}  // namespace lowp
