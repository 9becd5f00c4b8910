-- What a person is told when the C module cannot be loaded: the loader's own reason.

local process = require "spec.support.process"

local LUA = os.getenv("CONNECTLY_SPEC_LUA") or "lua5.4"

--- What loading gives after a piece of code.
local function load_after(code)
  local script = code .. [[ print(select(2, pcall(require, "connectly.loader")))]]
  return process.capture(("unset LD_PRELOAD; %s -e %s 2>&1"):format(LUA, process.quote(script)))
end

--- The same when `require` says so.
local function load_with(said)
  return load_after(("package.preload['connectly.native'] = function() error(%q, 0) end"):format(said))
end

local function refusal(reason)
  return load_with(("error loading module 'connectly.native' from file '/opt/lib/native.so':\n\t%s"):format(reason))
end

local CASES = {
  {
    "a libcrypto that is too old", "/lib/libcrypto.so.3: version `OPENSSL_3.2.0' not found (required by /opt/lib/native.so)",
    "another version of a library than is loaded here: /lib/libcrypto.so.3: version `OPENSSL_3.2.0' not found",
  },
  {
    "a symbol of OpenSSL that is not there", "/opt/lib/native.so: undefined symbol: EVP_MAC_fetch, version OPENSSL_3.0.0",
    "another version of a library than is loaded here: /opt/lib/native.so: undefined symbol: EVP_MAC_fetch",
  },
  {
    "a symbol of Lua that is not there", "/opt/lib/native.so: undefined symbol: lua_rotate",
    "its C module was built for another Lua",
  },
  {
    "a library that is not there", "libcurl.so.4: cannot open shared object file: No such file or directory",
    "a C library that its module needs is missing: libcurl.so.4: cannot open shared object file",
  },
  {
    "a file for another processor", "/opt/lib/native.so: wrong ELF class: ELFCLASS32",
    "its C module /opt/lib/native.so cannot be loaded: /opt/lib/native.so: wrong ELF class",
  },
  {
    "a lack of static TLS", "/lib/libgomp.so.1: cannot allocate memory in static TLS block",
    "cannot be loaded: /lib/libgomp.so.1: cannot allocate memory in static TLS block",
  },
}

describe("the loader tells of", function()
  for _, case in ipairs(CASES) do
    it(case[1], function()
      local said = refusal(case[2])
      assert.truthy(said:find(case[3], 1, true), said)
      assert.is_nil(said:find("not found for", 1, true), said)
    end)
  end

  it("a module that raises while it is opened", function()
    assert.truthy(load_with("not enough memory"):find("connectly: its C module cannot be loaded: not enough memory", 1, true))
  end)

  it("a file that is no library", function()
    local folder = process.capture("mktemp -d"):gsub("%s+$", "")
    os.execute(("mkdir %s/connectly && echo text > %s/connectly/native.so"):format(folder, folder))
    local said = load_after(("package.cpath = %q"):format(folder .. "/?.so"))
    os.execute("rm -r " .. folder)
    assert.truthy(said:find("connectly: its C module " .. folder .. "/connectly/native.so cannot be loaded: ", 1, true), said)
  end)

  it("a module that is not there", function()
    local said = load_after("package.cpath = ''")
    assert.truthy(said:find("the C module connectly.native was not found for", 1, true), said)
    assert.truthy(said:find("package.cpath", 1, true))
  end)
end)
