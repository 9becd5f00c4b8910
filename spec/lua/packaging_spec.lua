-- What is installed works from there alone, by LuaRocks and by make, and says
-- the same version everywhere.

local connectly = require "connectly"
local folders = require "spec.support.folders"
local process = require "spec.support.process"

local running = os.getenv("CONNECTLY_SPEC_LUA") or "lua5.4"
local is_jit = rawget(_G, "jit") ~= nil
local version = is_jit and "5.1" or "5.4"

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("*a")
  file:close()
  return text
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
  local folder = folders.make()

  it("has one version, in Lua, in C and in its changes", function()
    local in_c = read("src/core/base/version.h"):match('CLY_VERSION "([^"]+)"')
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
    return process.run(("cd / && env -u LUA_PATH -u LUA_CPATH "
      .. "LUA_PATH='%s/share/lua/%s/?.lua;%s/share/lua/%s/?/init.lua;;' "
      .. "LUA_CPATH='%s/lib/lua/%s/?.so;;' %s -e '%s'"):format(tree, version, tree, version, tree, version, running, script))
  end

  it("installs by LuaRocks for this Lua and works from that tree alone", function()
    local tree = folder .. "/rocks"
    local headers = is_jit and "luajit" or "lua5.4"
    local include = process.run("pkg-config --cflags-only-I " .. headers):match("%-I(%S+)")
    -- From a copy: LuaRocks leaves objects beside the sources.
    local text, status = process.run(("mkdir -p '%s/copy' && cp -r src lua examples *.rockspec '%s/copy' && cd '%s/copy' && "
      .. "luarocks --lua-version %s make --deps-mode none --tree '%s' connectly-scm-1.rockspec LUA_INCDIR='%s'")
      :format(folder, folder, folder, version, tree, include))
    assert.equal(0, status, text)
    text, status = works_from(tree)
    assert.equal(0, status, text)
    assert.truthy(text:find('"message":{"text":"x"}', 1, true), text)
    local rock = ("%s/lib/luarocks/rocks-%s/connectly/scm-1"):format(tree, version)
    assert.equal(read("examples/errors/README.md"), read(rock .. "/examples/errors/README.md"))
  end)

  --- Every relative link of these documents leads to an installed file.
  local function assert_links(documents)
    local count = 0
    for _, path in ipairs(files("'" .. documents .. "' -name README.md")) do
      for address in read(path):gmatch("%]%(([^)#]+)[^)]*%)") do
        if not address:find("^https://") then
          assert(io.open(path:match("^.*/") .. address), path .. " links to " .. address):close()
          count = count + 1
        end
      end
    end
    assert(count > 20)
  end

  it("installs by make, with a command that finds its library", function()
    local prefix = folder .. "/prefix"
    local text, status = process.run(("make install PREFIX='%s' LUA=%s"):format(prefix, is_jit and "luajit" or "5.4"))
    assert.equal(0, status, text)
    text, status = works_from(prefix)
    assert.equal(0, status, text)
    text, status = process.run(("cd / && env -u LUA_PATH -u LUA_CPATH '%s/bin/connectly' --version"):format(prefix))
    assert.equal(0, status, text)
    assert.truthy(text:find("connectly " .. connectly._VERSION, 1, true), text)
    local documents = prefix .. "/share/doc/connectly"
    for _, path in ipairs(files("README.md lua/REFERENCE.md examples -type f")) do
      assert.equal(read(path), read(documents .. "/" .. path))
    end
    assert_links(documents)
    assert.equal(read("examples/command-line/connectly.1"), read(prefix .. "/share/man/man1/connectly.1"))
  end)

  it("refuses to install for a Lua it does not know", function()
    assert.not_equal(0, select(2, process.run("make install LUA=5.2 PREFIX='" .. folder .. "/no'")))
  end)
end)
