-- The sandbox knows every field that the library may send: one that is required is
-- missed, and one of a wrong type is refused. So a field that is new in the core's
-- tables and unknown to the sandbox fails here.

local fixtures = require "spec.support.fixtures"
local native = require "connectly.loader"
local sandboxes = require "spec.support.sandbox"

-- Our own short forms, which are something else on the wire.
local SHORT = {
  template = { header = true, body = true, buttons = true, cards = true },
  session = {
    number = true, text = true, image = true, video = true, audio = true, document = true, location = true, list = true,
    buttons = true, product = true, products = true, header = true, footer = true,
  },
}

-- Any JSON is right there, or the API's pages do not say what is wrong.
local ANY = { json = true, traceparent = true }

describe("a sandbox", function()
  local sandbox

  setup(function() sandbox = sandboxes.start() end)
  teardown(function() sandbox:stop() end)

  before_each(function()
    sandbox:reset()
    sandbox:inbound { number = "+14155550123", text = "Hi" }
    sandbox:template { name = "order_shipped", language = "en_US", body = 2 }
  end)

  local function copy(body)
    local made = {}
    for name, value in pairs(body) do
      made[name] = value
    end
    return made
  end

  --- The path of an update leads to a registration that is there.
  local function path_of(fixture)
    if fixture.operation ~= "update_webhook" then
      return fixture.path
    end
    local made = sandbox:call("POST", "/create/webhooks", { topic = "messages", address = "http://127.0.0.1:9/" })
    return "/update/webhooks/" .. made.json.id
  end

  local function status_of(fixture, body)
    return sandbox:call(fixture.method, path_of(fixture), body).status
  end

  local bodies = {}
  for _, fixture in ipairs(fixtures.read "endpoints") do
    bodies[fixture.operation] = type(fixture.body) == "table" and fixture or nil
  end

  for _, operation in ipairs(native.operations()) do
    local fixture = bodies[operation.name]
    if fixture then
      it("takes the pages' example of " .. operation.name, function()
        assert.equal(200, status_of(fixture, fixture.body))
      end)
    end
    for _, field in ipairs(fixture and native.shapes()[operation.shape] or {}) do
      local is_known = field.place == "body" and not ANY[field.type] and not (SHORT[operation.shape] or {})[field.name]
      if is_known and field.required then
        it(("misses %s of %s"):format(field.wire, operation.name), function()
          local body = copy(fixture.body)
          body[field.wire] = nil
          assert.equal(400, status_of(fixture, body))
        end)
      end
      if is_known then
        it(("refuses another type of %s of %s"):format(field.wire, operation.name), function()
          local body = copy(fixture.body)
          body[field.wire] = 7
          assert.equal(400, status_of(fixture, body))
        end)
      end
    end
  end

  ---- the parameters of a template, in both forms

  local function client()
    return require("connectly.safe").new {
      api_key = sandbox.api_key, business_id = sandbox.business_id, base_url = sandbox.base_url, max_attempts = 1,
    }
  end

  local EXAMPLES = { text = "x", url = "https://example.com/x" }

  --- A template that wants the parameter alone, and the parameter's name as it is first.
  local function wanting(param)
    local name = param.name:gsub("#", function() return ("%d"):format(param.low) end, 1):gsub("#", "0")
    local number = name:match("^button_(%d)_url_suffix$")
    local template = { name = "one_parameter", language = "en" }
    if name:find "^header_" then
      template.header = name:match("^header_(.*)$")
    elseif name:find "^body_" then
      template.body = 1
    elseif number then
      template.buttons = { tonumber(number) }
    else
      return nil
    end
    return template, name
  end

  for _, param in ipairs(native.params()) do
    local template, name = wanting(param)
    if template then
      it("takes " .. name .. ", which the library can send", function()
        sandbox:template(template)
        local message = {
          number = "+14155550123", template_name = "one_parameter", language = "en",
          parameters = { [name] = EXAMPLES[param.type] },
        }
        assert.truthy(client():send_template(message))
        local kind = name:match("^header_(.*)$")
        if kind then
          message.header, message.parameters = { [kind] = EXAMPLES[param.type] }, nil
          assert.truthy(client():send_template(message))
        end
        message.header, message.parameters = nil, nil
        assert.equal(400, select(2, client():send_template(message)).status)
      end)
    end
  end

  for _, param in ipairs(native.params()) do
    local kind = param.name:match("^header_(%l+)$")
    if kind then
      it("lists a template with a header of kind " .. kind .. " as such", function()
        sandbox:template { name = "one_header", language = "en", header = kind }
        local report = client():check_template {
          number = "+14155550123", template_name = "one_header", language = "en", header = { [kind] = EXAMPLES[param.type] },
        }
        assert.same({ {}, kind }, { report.problems, report.preview.header.kind })
      end)
    end
    if kind and param.type == "url" then
      it("creates a template with a header of kind " .. kind, function()
        local media = { type = "TYPE_" .. kind:upper(), example = { EXAMPLES.url } }
        assert(client():create_template { name = "instant_one", language = "en", category = "utility", components = {
          { header = { media = media } }, { body = { text = { text = "Hi" } } },
        } })
        local message = { number = "+14155550123", template_name = "instant_one", language = "en" }
        assert.equal(400, select(2, client():send_template(message)).status)
        message.header = { [kind] = EXAMPLES.url }
        assert.truthy(client():send_template(message))
      end)
    end
    if param.name == "body_#" then
      it("creates a template with as many body variables as the library can send, and with no more", function()
        local function create(count)
          local words = {}
          for index = 1, count do
            words[index] = ("{{%d}}"):format(index)
          end
          return client():create_template { name = "instant_body_" .. count, language = "en", category = "utility",
            components = { { body = { text = { text = table.concat(words, " ") } } } } }
        end
        local most = math.floor(param.high)
        assert.truthy(create(most))
        assert.equal(400, select(2, create(most + 1)).status)
      end)

      it("takes a template with as many body variables as the library can send, and no more", function()
        local function take(count)
          local body = ('{"name":"long","language":"en","body":%d}'):format(count)
          return sandbox:request({ method = "POST", path = "/_sandbox/templates", body = body }).status
        end
        assert.same({ 200, 400 }, { take(param.high), take(param.high + 1) })
      end)
    end
  end
end)
