-- Modules that a method needs, loaded at the method's beginning and not with the library,
-- since a short script should not pay for them. No method may load one after it has submitted
-- something: the message would leave, and the method fail.

local errors = require "connectly.errors"

local parts = {}

-- Whether the process has a descriptor left, which loading a module needs.
local function has_descriptor()
  local file, _, number = io.open("/dev/null")
  if file then
    file:close()
  end
  return file ~= nil or not (number == 23 or number == 24) -- ENFILE, EMFILE
end

--- The error of a module that could not be loaded.
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

--- The module; or nil and an error.
function parts.load(name)
  local is_loaded, part = pcall(require, name)
  if is_loaded then
    return part
  end
  return nil, parts.not_loaded(name, part)
end

return parts
