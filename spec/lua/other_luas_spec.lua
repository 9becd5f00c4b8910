-- The Luas that the other specs do not run on: those supported work, the others are
-- refused when the module is compiled.

local folders = require "spec.support.folders"
local process = require "spec.support.process"
local sandbox_support = require "spec.support.sandbox"

describe("another Lua", function()
  local folder = folders.make()

  describe("that is supported", function()
    local running

    setup(function()
      running = assert(sandbox_support.start {})
    end)

    teardown(function()
      if running then
        running:stop()
      end
    end)

    -- Compiled without optimization, which is quicker.
    local function build(lua, flags)
      local directory = folder .. "/" .. lua
      return process.run(("make -s '%s/5.4/connectly/native.so' BUILD='%s' LUA54_CFLAGS='%s' CFLAGS=-O0")
        :format(directory, directory, flags))
    end

    local function smoke(lua)
      local paths = ("LUA_PATH='lua/?.lua;lua/?/init.lua;;' LUA_CPATH='%s/%s/5.4/?.so;;'"):format(folder, lua)
      return process.run(("%s timeout 60 %s spec/support/smoke.lua %s %s %s")
        :format(paths, lua, running.base_url, running.api_key, running.business_id))
    end

    for _, lua in ipairs { "lua5.3", "lua5.5" } do
      it("sends: " .. lua, function()
        local flags, missing = process.run(("command -v %s >/dev/null && pkg-config --cflags %s"):format(lua, lua))
        if missing ~= 0 then
          return pending(lua .. " is not installed")
        end
        local text, status = build(lua, flags:match("^[^\n]*"))
        assert.equal(0, status, text)
        text, status = smoke(lua)
        assert.is_true(status == 0 and text:find("^sent\n") ~= nil, text)
      end)
    end
  end)

  describe("that is not supported", function()
    -- Headers that say no more than compat.h looks at before it refuses.
    local function compile(version, has_newlibtable)
      local header = assert(io.open(folder .. "/lua.h", "w"))
      header:write("#define LUA_VERSION_NUM ", version, "\n")
      header:close()
      header = assert(io.open(folder .. "/lauxlib.h", "w"))
      header:write(has_newlibtable and "#define luaL_newlibtable\n" or "", "\n")
      header:close()
      return process.run(("echo '#include \"binding/compat.h\"' | cc -Isrc -I'%s' -E -x c - 2>&1 >/dev/null")
        :format(folder))
    end

    for name, case in pairs {
      ["Lua 5.1"] = { 501, false },
      ["Lua 5.2"] = { 502, true },
    } do
      it("is refused by one line that names those that are: " .. name, function()
        local text, status = compile(case[1], case[2])
        assert.not_equal(0, status)
        local _, count = text:gsub("error:", "")
        assert.equal(1, count, text)
        assert.truthy(text:find("connectly supports Lua 5.3, 5.4, 5.5 and LuaJIT 2.1", 1, true), text)
      end)
    end

    for name, case in pairs { ["Lua 5.3"] = { 503, true }, ["LuaJIT 2.1"] = { 501, true }, ["Lua 5.5"] = { 505, true } } do
      it("is none of those that are: " .. name, function()
        local text, status = compile(case[1], case[2])
        assert.equal(0, status, text)
      end)
    end
  end)
end)
