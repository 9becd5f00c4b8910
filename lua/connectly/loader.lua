-- Loads the C module. When loading fails, raises an error that names the cause.

local AGAIN = "install it again with this Lua's LuaRocks, or `make install LUA=...`"

local function running()
  return rawget(_G, "jit") and "LuaJIT (Lua 5.1)" or _VERSION
end

local function of_another_lua()
  return ("connectly: its C module was built for another Lua than this %s; %s"):format(running(), AGAIN)
end

--- Tells whether the module was built against another version of a library (OpenSSL, for
--- example) than the installed one: the system's loader then reports a missing symbol or version.
local function is_version_clash(reason)
  return reason:find("undefined symbol", 1, true) or reason:find("version `.-' not found")
    or reason:find("Symbol not found", 1, true)
end

--- Explains why the system's loader refused the module file at `path`.
local function refused(path, reason)
  if reason:find("undefined symbol: _?lua") then
    return of_another_lua()
  elseif reason:find("cannot open shared object", 1, true) then
    return "connectly: a C library that its module needs is missing: " .. reason
  elseif is_version_clash(reason) then
    return ("connectly: its C module was built with another version of a library than is loaded here: %s; %s"):format(
      reason, AGAIN)
  end
  return ("connectly: its C module %s cannot be loaded: %s"):format(path, reason)
end

--- Turns the error text of `require` or of the system's loader into the message to raise.
local function explain(problem)
  local path, reason = problem:match("error loading module '[^']*' from file '(.-)':%s*(.-)%s*$")
  if path then
    return refused(path, reason)
  elseif problem:find("version mismatch", 1, true) then
    return of_another_lua()
  elseif problem:find("module 'connectly.native' not found", 1, true) then
    return ("connectly: the C module connectly.native was not found for %s on package.cpath; in nginx set lua_package_cpath\n%s")
      :format(running(), problem)
  end
  return "connectly: its C module cannot be loaded: " .. problem
end

local found, native = pcall(require, "connectly.native")
if not found then
  error(explain(tostring(native)), 0)
end

return native
