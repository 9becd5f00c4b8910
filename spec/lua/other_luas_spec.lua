-- The Luas that the other specs do not run on: those supported work, the others are
-- refused when the module is compiled.

local process = require "spec.support.process"
local sandbox_support = require "spec.support.sandbox"

local function capture(command)
  local text = process.capture("(" .. command .. ") 2>&1; echo status=$?")
  return text:match("status=(%d+)%s*$") == "0", text
end

describe("another Lua", function()
  local folder

  setup(function()
    folder = process.capture("mktemp -d"):match("%S+")
  end)

  teardown(function()
    os.execute("rm -rf '" .. folder .. "'")
  end)

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
      return capture(("make -s '%s/5.4/connectly/native.so' BUILD='%s' LUA54_CFLAGS='%s' CFLAGS=-O0")
        :format(directory, directory, flags))
    end

    local function smoke(lua)
      local paths = ("LUA_PATH='lua/?.lua;lua/?/init.lua;;' LUA_CPATH='%s/%s/5.4/?.so;;'"):format(folder, lua)
      return capture(("%s timeout 60 %s spec/support/smoke.lua %s %s %s")
        :format(paths, lua, running.base_url, running.api_key, running.business_id))
    end

    for _, lua in ipairs { "lua5.3", "lua5.5" } do
      it("sends: " .. lua, function()
        local is_there, flags = capture(("command -v %s >/dev/null && pkg-config --cflags %s"):format(lua, lua))
        if not is_there then
          return pending(lua .. " is not installed")
        end
        local is_built, text = build(lua, flags:match("^[^\n]*"))
        assert.is_true(is_built, text)
        local is_sent, output = smoke(lua)
        assert.is_true(is_sent and output:find("^sent\n") ~= nil, output)
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
      return capture(("echo '#include \"binding/compat.h\"' | cc -Isrc -I'%s' -E -x c - 2>&1 >/dev/null"):format(folder))
    end

    for name, case in pairs {
      ["Lua 5.1"] = { 501, false },
      ["Lua 5.2"] = { 502, true },
    } do
      it("is refused by one line that names those that are: " .. name, function()
        local is_compiled, text = compile(case[1], case[2])
        assert.is_false(is_compiled)
        local _, count = text:gsub("error:", "")
        assert.equal(1, count, text)
        assert.truthy(text:find("connectly supports Lua 5.3, 5.4, 5.5 and LuaJIT 2.1", 1, true), text)
      end)
    end

    for name, case in pairs { ["Lua 5.3"] = { 503, true }, ["LuaJIT 2.1"] = { 501, true }, ["Lua 5.5"] = { 505, true } } do
      it("is none of those that are: " .. name, function()
        local is_compiled, text = compile(case[1], case[2])
        assert.is_true(is_compiled, text)
      end)
    end
  end)
end)
