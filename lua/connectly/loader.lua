-- Loads the C module, and says in plain words what is wrong when it cannot be.

local AGAIN = "install it again with this Lua's LuaRocks, or `make install LUA=...`"

local function running()
  return rawget(_G, "jit") and "LuaJIT (Lua 5.1)" or _VERSION
end

local function of_another_lua()
  return ("connectly: its C module was built for another Lua than this %s; %s"):format(running(), AGAIN)
end

--- A library that is there but of another version than the module was built with, OpenSSL
--- for one, says so by what it lacks.
local function is_version_clash(reason)
  return reason:find("undefined symbol", 1, true) or reason:find("version `.-' not found")
    or reason:find("Symbol not found", 1, true)
end

--- The module's file was found at `path`, and the system's loader refused it.
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

--- The line for a person, from what `require` or the system's loader said.
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
