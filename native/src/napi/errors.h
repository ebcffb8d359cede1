// Statuses of the core as JavaScript errors with a `code`.
#pragma once
#include <napi.h>

#include "base/status.h"

namespace lowp::binding {

// An Error with code invalid | unsupported | memory | aborted | closed | internal.
Napi::Error MakeError(Napi::Env env, const Status& status);

// Throws the error and gives undefined, to be returned at once.
Napi::Value Throw(Napi::Env env, const Status& status);

}  // namespace lowp::binding
