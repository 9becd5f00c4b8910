-- What is installed works from there alone, by LuaRocks and by make, and says
-- the same version everywhere.

local connectly = require "connectly"

local running = os.getenv("CONNECTLY_SPEC_LUA") or "lua5.4"
local is_jit = rawget(_G, "jit") ~= nil
local version = is_jit and "5.1" or "5.4"

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("*a")
  file:close()
  return text
end

local function capture(command)
  local pipe = assert(io.popen("(" .. command .. ") 2>&1; echo status=$?"))
  local text = pipe:read("*a")
  pipe:close()
  return text:match("status=(%d+)%s*$") == "0", text
end

local function files(pattern)
  local list = {}
  local pipe = assert(io.popen("find " .. pattern .. " | LC_ALL=C sort"))
  for path in pipe:lines() do
    list[#list + 1] = path
  end
  pipe:close()
  return list
end

local function rockspec()
  local loaded = {}
  local chunk
  if rawget(_G, "setfenv") then
    chunk = assert(loadfile("connectly-scm-1.rockspec"))
    setfenv(chunk, loaded) -- luacheck: ignore 113
  else
    chunk = assert(loadfile("connectly-scm-1.rockspec", "t", loaded))
  end
  chunk()
  return loaded
end

describe("the package", function()
  local folder

  setup(function()
    folder = select(2, capture("mktemp -d")):match("^%S+")
  end)

  teardown(function()
    os.execute("rm -rf '" .. folder .. "'")
  end)

  it("has one version, in Lua, in C and in its changes", function()
    local in_c = read("src/core/version.h"):match('CLY_VERSION "([^"]+)"')
    assert.equal(in_c, connectly._VERSION)
    assert.equal(in_c, require("connectly.native")._VERSION)
    assert.equal(in_c, require("connectly.native").versions().connectly)
    assert.equal("scm-1", rockspec().version)
    local major_minor_patch = in_c:match("^%d+%.%d+%.%d+")
    assert.truthy(read("CHANGELOG.md"):find(major_minor_patch, 1, true))
  end)

  it("lists every Lua file and every C file", function()
    local modules = rockspec().build.modules
    local listed = {}
    for name, path in pairs(modules) do
      if type(path) == "string" then
        listed[path] = name
        assert.equal(path:gsub("^lua/", ""):gsub("%.lua$", ""):gsub("/init$", ""):gsub("/", "."), name)
      end
    end
    for _, path in ipairs(files("lua -name '*.lua'")) do
      if path ~= "lua/connectly/cli/main.lua" then
        assert.truthy(listed[path], path .. " is not in the rockspec")
        listed[path] = nil
      end
    end
    assert.same({}, listed)
    local sources = modules["connectly.native"].sources
    table.sort(sources)
    assert.same(files("src -name '*.c'"), sources)
  end)

  -- In a folder of its own, with nothing of ours on any path.
  local function works_from(tree)
    local script = 'local c = require "connectly"; local client = c.new{ api_key = "k", business_id = "b" }; '
      .. 'print(c._VERSION, (client:dry_run("send_session", { number = "+14155550123", text = "x" })))'
    return capture(("cd / && env -u LUA_PATH -u LUA_CPATH LUA_PATH='%s/share/lua/%s/?.lua;%s/share/lua/%s/?/init.lua;;' "
      .. "LUA_CPATH='%s/lib/lua/%s/?.so;;' %s -e '%s'"):format(tree, version, tree, version, tree, version, running, script))
  end

  it("installs by LuaRocks for this Lua and works from that tree alone", function()
    local tree = folder .. "/rocks"
    local headers = is_jit and "luajit" or "lua5.4"
    local include = select(2, capture("pkg-config --cflags-only-I " .. headers)):match("%-I(%S+)")
    -- From a copy: LuaRocks leaves objects beside the sources.
    local is_made, text = capture(("mkdir -p '%s/copy' && cp -r src lua *.rockspec '%s/copy' && cd '%s/copy' && "
      .. "luarocks --lua-version %s make --deps-mode none --tree '%s' connectly-scm-1.rockspec LUA_INCDIR='%s'")
      :format(folder, folder, folder, version, tree, include))
    assert.is_true(is_made, text)
    local does_work, output = works_from(tree)
    assert.is_true(does_work, output)
    assert.truthy(output:find('"message":{"text":"x"}', 1, true), output)
  end)

  it("installs by make, with a command that finds its library", function()
    local prefix = folder .. "/prefix"
    local is_made, text = capture(("make install PREFIX='%s' LUA=%s"):format(prefix, is_jit and "luajit" or "5.4"))
    assert.is_true(is_made, text)
    local does_work, output = works_from(prefix)
    assert.is_true(does_work, output)
    is_made, text = capture(("cd / && env -u LUA_PATH -u LUA_CPATH '%s/bin/connectly' --version"):format(prefix))
    assert.is_true(is_made, text)
    assert.truthy(text:find("connectly " .. connectly._VERSION, 1, true), text)
  end)

  it("refuses to install for a Lua it does not know", function()
    assert.is_false((capture("make install LUA=5.2 PREFIX='" .. folder .. "/no'")))
  end)
end)
