-- What README.md shows in Lua compiles on the Lua under test, and does what it says
-- against a sandbox; but for what only runs in another host.

local connectly = require "connectly"
local safe = require "connectly.safe"
local sandboxes = require "spec.support.sandbox"
local snippets = require "spec.support.snippets"

-- Snippets of other hosts, by what stands in them, and where they are run instead.
local ELSEWHERE = {
  ['require "luv"'] = "examples_spec", ["connectly.limiter."] = "limiter_spec, nginx/limiter_spec",
  ["connectly.openresty."] = "nginx/webhook_spec",
}

local CUSTOMER = "+16044441234"

-- The vector of the API's documentation. API: webhooks, delivery mechanics.
local SECRET = "example-secret"
local BODY = '{"topic":"delivery_status","timestamp":"1700000000","statusUpdate":'
  .. '{"id":"01ARZ3NDEKTSV4RRFFQ69G5FAV","status":"read","error":null}}'
local SIGNATURE = "Ldm2bkiSUSrrEKHejpUgQcwcaM6RcUfpQ9dCNKpVPiU="

-- Whatever was sent has been read: what webhooks would have told is not these tests' matter.
local STATUSES = { interval = 0.01, get = function() return { status = "read" } end }

local function elsewhere(snippet)
  for mark, where in pairs(ELSEWHERE) do
    if snippet.source:find(mark, 1, true) then
      return where
    end
  end
end

describe("README.md", function()
  local sandbox, clients

  setup(function()
    sandbox = sandboxes.start { port = 0 }
  end)

  teardown(function()
    sandbox:stop()
  end)

  local card = { header = "image", body = 1, buttons = 1 }

  before_each(function()
    clients = {}
    sandbox:reset()
    sandbox:inbound { number = CUSTOMER }
    sandbox:template { name = "autumn", language = "en", header = "any", body = 2, buttons = { 2 }, cards = { card, card } }
  end)

  after_each(function()
    for _, client in ipairs(clients) do
      client:close(5)
    end
  end)

  --- A face of the library whose clients go to the sandbox, whatever they are told.
  local function with_sandbox(face)
    local function new(options)
      if options then
        options.ca_file, options.ca_path = nil, nil -- which are read
        assert(face.new(options), "its options are refused")
      end
      local client = assert(face.new {
        api_key = sandbox.api_key, business_id = sandbox.business_id, base_url = sandbox.base_url,
        on_event = options and options.on_event, status_store = STATUSES,
      })
      clients[#clients + 1] = client
      return client
    end
    return setmetatable({ new = new }, { __index = face })
  end

  --- What a reader is taken to have.
  local function surroundings(printed)
    local webhook = require "connectly.webhook"
    local replaced = {
      ["connectly"] = with_sandbox(connectly), ["connectly.safe"] = with_sandbox(safe),
      ["connectly.webhook"] = setmetatable({ new = function() return webhook.new { secret = SECRET } end },
        { __index = webhook }),
    }
    local message = { number = CUSTOMER, template_name = "hello", language = "en", body = { "Ana" } }
    return {
      require = function(name) return replaced[name] or require(name) end,
      connectly = replaced["connectly"], client = replaced["connectly"].new(),
      message = message, messages = { message, message }, timeout = 10, raw_body = BODY, signature = SIGNATURE,
      print = function(...) printed[#printed + 1] = table.concat({ ... }, " ") end,
      log = function(...) error(table.concat({ ... }, " "), 0) end,
    }
  end

  for _, snippet in ipairs(snippets.read "README.md") do
    it(("compiles (line %d)"):format(snippet.line), function()
      assert.is_function(snippets.compile(snippet))
    end)

    if not elsewhere(snippet) then
      it(("does what it says (line %d)"):format(snippet.line), function()
        local is_fine, problem = pcall(snippets.run, snippet, surroundings {})
        assert(is_fine, tostring(problem))
      end)
    end
  end

  --- The one snippet with a text in it, run: what it printed, and what was sent.
  local function run_with(mark)
    for _, snippet in ipairs(snippets.read "README.md") do
      if snippet.source:find(mark, 1, true) and not elsewhere(snippet) then
        local printed = {}
        snippets.run(snippet, surroundings(printed))
        return printed, (sandbox:deliveries())
      end
    end
    error("README.md has no snippet with " .. mark)
  end

  it("sends what it begins with, and prints its id", function()
    local printed, deliveries = run_with 'template_name = "order_confirmation"'
    assert.equal(1, #deliveries)
    assert.same({ deliveries[1].id }, printed)
  end)

  it("sends all that it has in a loop", function()
    assert.equal(2, #select(2, run_with "client:send_many"))
  end)

  it("reads a webhook", function()
    assert.same({ "status 01ARZ3NDEKTSV4RRFFQ69G5FAV read" }, (run_with "webhook:verify"))
  end)
end)
