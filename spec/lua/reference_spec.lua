-- The reference and the types are those of the code, and every public name is in them.

local connectly = require "connectly"
local fixtures = require "spec.support.fixtures"
local safe = require "connectly.safe"
local native = require "connectly.loader"
local reference = require "spec.support.reference"
local snippets = require "spec.support.snippets"

local PAGE, TYPES = "lua/REFERENCE.md", "lua/connectly/types.lua"

local texts, missing, model = reference.generate()

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("*a")
  file:close()
  return text
end

local function options()
  return { api_key = "spec-key", business_id = "spec-business", base_url = "https://localhost:1" }
end

--- The names of an object's methods.
local function methods_of(object)
  local names = {}
  for name in pairs(debug.getmetatable(object).__index) do
    names[#names + 1] = name
  end
  table.sort(names)
  assert(#names > 0)
  return names
end

local function assert_section(title)
  assert(texts[PAGE]:find("\n### " .. title .. "\n", 1, true), title .. " is not in the reference")
end

local function assert_stub(class, name)
  assert(texts[TYPES]:find(("\nfunction %s:%s("):format(class, name), 1, true), ("no type of %s:%s"):format(class, name))
end

describe("the reference", function()
  for _, path in ipairs { PAGE, TYPES } do
    it("is as the code is: " .. path, function()
      assert(texts[path] == read(path), path .. " is behind the code: run `make reference`")
    end)
  end

  it("is the same each time it is made", function()
    assert.same(texts, (reference.generate()))
  end)

  it("leaves no public name without documentation", function()
    assert.same({}, missing)
  end)

  it("has every method of both faces", function()
    for class, made in pairs { Client = connectly.new(options()), SafeClient = safe.new(options()) } do
      for _, name in ipairs(methods_of(made)) do
        assert_section("client:" .. name)
        assert_stub(class, name)
      end
    end
  end)

  it("has every method of calls and webhooks", function()
    local class = require("connectly.client.call").make_class(function(...) return ... end)
    for _, name in ipairs(methods_of(setmetatable({}, class))) do
      assert_section("call:" .. name)
      assert_stub("Call", name)
      assert_stub("SafeCall", name)
    end
    for _, name in ipairs(methods_of(connectly.webhook.new { secret = "spec" })) do
      assert_section("webhook:" .. name)
      assert_stub("Webhook", name)
    end
  end)

  it("has every function of every public module that needs no other library", function()
    local count = 0
    for _, module in ipairs(model.modules) do
      local is_portable = not module.name:find("^connectly%.loop") and module.name ~= "connectly.sandbox"
      for name, value in pairs(is_portable and require(module.name) or {}) do
        if type(value) == "function" and not model.internal[module.name .. "." .. name] then
          assert_section(module.name .. "." .. name)
          count = count + 1
        end
      end
    end
    assert(count >= 8)
  end)

  it("has every module that README, a guide or an example requires", function()
    local known, count = {}, 0
    for _, module in ipairs(model.modules) do
      known[module.name] = true
    end
    local list = assert(io.popen("find README.md examples -type f"))
    for path in list:lines() do
      for name in read(path):gmatch("require%s*%(?%s*[\"'](connectly[%w_.]*)[\"']") do
        assert(known[name], ("%s requires %s, whose file has no docstring at its head"):format(path, name))
        count = count + 1
      end
    end
    list:close()
    assert(count > 10)
  end)

  it("has every endpoint, with its path", function()
    for _, operation in ipairs(native.operations()) do
      assert_section("client:" .. operation.name)
      if operation.path then
        assert.truthy(texts[PAGE]:find(("`%s /v1/businesses/{businessId}%s`"):format(operation.method, operation.path), 1, true))
      end
    end
  end)

  it("has every field, option, kind, outcome and code", function()
    local names = {}
    for _, fields in pairs(native.shapes()) do
      for _, field in ipairs(fields) do
        names[field.name] = true
      end
    end
    for _, list in ipairs { native.options(), native.params() } do
      for _, item in ipairs(list) do
        names[item.name] = true
      end
    end
    local taxonomy = native.taxonomy()
    for _, list in ipairs { taxonomy.kinds, taxonomy.outcomes } do
      for _, name in ipairs(list) do
        names[name] = true
      end
    end
    for _, code in ipairs(taxonomy.codes) do
      names[code.code] = true
    end
    for name in pairs(names) do
      assert(texts[PAGE]:find("\n| `" .. name .. "` |", 1, true), name .. " is not in the reference")
    end
  end)

  it("gives the defaults that the code has", function()
    for _, option in ipairs(model.options) do
      local said = option.text:match("default (%S+)$")
      if option.default ~= nil then
        assert.equal(type(option.default) == "number" and ("%.14g"):format(option.default) or tostring(option.default), said)
      end
    end
  end)

  it("links to what is there", function()
    local anchors, count = {}, 0
    for heading in texts[PAGE]:gmatch("\n#+ ([^\n]+)") do
      anchors["#" .. heading:lower():gsub("[^%w%s_%-]", ""):gsub("%s", "-")] = true
    end
    for address in texts[PAGE]:gmatch("%]%((#[^)]*)%)") do
      assert(anchors[address], "a link to nowhere: " .. address)
      count = count + 1
    end
    assert(count > 50)
  end)
end)

describe("an example of the reference", function()
  local client = connectly.new(options())
  local performing = setmetatable({}, {
    __index = function(_, name)
      return function(_, message) return client:dry_run(name, message or {}) end
    end,
  })

  for _, snippet in ipairs(snippets.read(PAGE)) do
    it(("is a message that would be sent (line %d)"):format(snippet.line), function()
      snippets.run(snippet, { client = performing })
    end)
  end

  it("is there for each endpoint", function()
    for _, method in ipairs(model.operations) do
      assert.truthy(texts[PAGE]:find(method.examples[1].source, 1, true))
    end
  end)
end)

describe("the types", function()
  it("can be required, and do nothing", function()
    local before = #package.loaded
    assert.equal(true, require "connectly.types")
    assert.equal(before, #package.loaded)
  end)

  it("name only types that are declared, each once", function()
    local declared = {}
    for _, file in ipairs(model.files) do
      for _, class in ipairs(file.classes) do
        declared[class.name] = (declared[class.name] or 0) + 1
      end
    end
    for tag, name in texts[TYPES]:gmatch("\n%-%-%-@(%a+) (connectly[%w_.]*)") do
      if tag == "class" or tag == "alias" then
        -- `connectly` itself is begun in init.lua and has its parts added here.
        declared[name] = (name == "connectly" and 0 or declared[name] or 0) + 1
      end
    end
    for name, count in pairs(declared) do
      assert(count == 1, name .. " is declared more than once")
    end
    for line in texts[TYPES]:gmatch("[^\n]+") do
      local kind = line:match("^%-%-%-@%a+%s+(.*)$") or ""
      for name in kind:gmatch("connectly%.%u[%w_]*") do
        assert(declared[name], name .. " is declared nowhere")
      end
    end
  end)

  --- The fields that the docstring of a class declares.
  local function fields_of(path, class)
    local block = read(path):match("%-%-%-@class " .. class:gsub("%p", "%%%0") .. "[^\n]*\n(.-)\n\n")
    local fields = {}
    for name in assert(block, class):gmatch("%-%-%-@field ([%w_]+)") do
      fields[name] = true
    end
    assert(next(fields), class)
    return fields
  end

  local function assert_declared(value, fields, what)
    for name in pairs(value) do
      assert(fields[name], ("%s has a field that no docstring tells of: %s"):format(what, name))
    end
  end

  it("tell of every field that an event has", function()
    local fields = fields_of("lua/connectly/webhook/init.lua", "connectly.WebhookEvent")
    local hook = connectly.webhook.new { secret = "s" }
    for _, fixture in ipairs(fixtures.read "webhooks") do
      assert_declared(hook:parse(fixture.body), fields, fixture.file)
    end
  end)

  it("tell of every field that an error has", function()
    local fields = fields_of("lua/connectly/errors.lua", "connectly.Error")
    local client = assert(safe.new(options()))
    local _, refused = client:dry_run("send_session", {})
    local sandbox = require("spec.support.sandbox").start()
    local other = assert(safe.new {
      api_key = sandbox.api_key, business_id = sandbox.business_id, base_url = sandbox.base_url, timeout = 20,
    })
    sandbox:reply {
      operation = "send_campaigns", status = 200, body = '{"data":[{"acceptedCount":0,"rejectedCount":1,"error":"x"}]}',
    }
    local _, rejected = other:send_campaigns { entries = { { number = "+14155550123", campaign_name = "c" } } }
    other:close()
    sandbox:stop()
    assert.is_table(rejected.result)
    for _, err in ipairs { refused, rejected } do
      assert_declared(err, fields, err.message)
    end
    for _, fixture in ipairs(fixtures.read "webhooks") do
      local event = connectly.webhook.new({ secret = "s" }):parse(fixture.body)
      assert_declared(event.error or {}, fields, fixture.file)
    end
    client:close()
  end)
end)
