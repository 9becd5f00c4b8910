-- Loads the C module, and says in plain words what is wrong when it cannot be.

--- The line for a person, from what `require` or the system's loader said.
local function explain(problem)
  local running = rawget(_G, "jit") and "LuaJIT (Lua 5.1)" or _VERSION
  if problem:find("undefined symbol", 1, true) or problem:find("version mismatch", 1, true) then
    return "connectly: its C module was built for another Lua than this " .. running
      .. "; install it again with this Lua's LuaRocks, or `make install LUA=...`"
  end
  if problem:find("cannot open shared object", 1, true) then
    return "connectly: a C library that its module needs is missing: " .. problem:match("[^\n]*cannot open[^\n]*")
  end
  return "connectly: the C module connectly.native was not found for " .. running
    .. " on package.cpath; in nginx set lua_package_cpath\n" .. problem
end

local found, native = pcall(require, "connectly.native")
if not found then
  error(explain(tostring(native)), 0)
end

return native
