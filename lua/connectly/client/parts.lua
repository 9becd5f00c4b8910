-- Modules that a method loads when it is called, so that a short script does not load those it
-- never uses. A method must load them before it submits a call: otherwise the message could be
-- sent and the method still fail.

local errors = require "connectly.errors"

local parts = {}

-- Tells whether the process can open another file descriptor, which loading a module needs.
local function has_descriptor()
  local file, _, number = io.open("/dev/null")
  if file then
    file:close()
  end
  return file ~= nil or not (number == 23 or number == 24) -- ENFILE, EMFILE
end

--- Makes the error of a module that could not be loaded.
function parts.not_loaded(name, reason)
  if not has_descriptor() then
    return errors.new {
      kind = "overloaded", outcome = "not_sent", message = name .. " cannot be loaded: no file descriptor is free",
      hint = "close files or raise the limit (ulimit -n, worker_rlimit_nofile)",
    }
  end
  return errors.new {
    kind = "config", outcome = "not_sent", message = ("%s cannot be loaded: %s"):format(name, tostring(reason):match("^[^\n]*")),
    hint = name == "lua-cjson" and "luarocks install lua-cjson" or "install connectly again",
  }
end

--- Returns the module; or nil and an error.
function parts.load(name)
  local is_loaded, part = pcall(require, name)
  if is_loaded then
    return part
  end
  return nil, parts.not_loaded(name, part)
end

return parts
