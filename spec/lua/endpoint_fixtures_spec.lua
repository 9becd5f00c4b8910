-- Requests and replies as the API's pages show them, byte for byte: each fixture of
-- spec/fixtures/endpoints goes through the client over HTTP.

local cjson = require "cjson"
local faults = require "spec.support.faults"
local fixtures = require "spec.support.fixtures"
local native = require "connectly.loader"
local safe = require "connectly.safe"
local sandboxes = require "spec.support.sandbox"

local ERROR = [[{
  "message": "developer-oriented text",
  "type": "ERROR_TYPE_INVALID_REQUEST",
  "code": "ERROR_CODE_PHONE_NUMBER_BAD_FORMAT",
  "userTitle": "short text for a person",
  "userMessage": "longer text for a person",
  "cntTraceId": "15555555555555555555",
  "details": {}
}]]

describe("the pages' example of", function()
  local sandbox, client, recorder
  local list, seen = fixtures.read "endpoints", {}

  setup(function()
    sandbox, recorder = sandboxes.start(), faults.start()
    client = assert(safe.new {
      api_key = sandbox.api_key, business_id = sandbox.business_id, base_url = sandbox.base_url, timeout = 20,
    })
  end)

  teardown(function()
    client:close()
    sandbox:stop()
    recorder:stop()
  end)

  before_each(function() sandbox:reset() end)

  local function answer(fixture, status, body)
    sandbox:reply { status = status, body = body, operation = fixture.operation }
  end

  local function check_value(fixture, value)
    if fixture.gives == "id" then
      assert.equal(cjson.decode(fixture.reply).id, value)
    elseif fixture.gives == "campaigns" then
      assert.same(cjson.decode(fixture.reply).data[1], value.sendouts[1].reply)
      assert.equal(2, value.accepted)
    else
      assert.same(cjson.decode(fixture.reply), value)
    end
  end

  for _, fixture in ipairs(list) do
    local name = fixture.operation
    seen[name] = true

    it(name .. " is what goes", function()
      local body, request = assert(client:dry_run(name, fixture.message))
      assert.same({ method = fixture.method, path = fixture.path }, request)
      assert.same(fixture.body ~= cjson.null and fixture.body or nil, body ~= "" and cjson.decode(body) or nil)
    end)

    it(name .. " goes so over HTTP", function()
      local body = assert(client:dry_run(name, fixture.message))
      recorder:reset()
      local one = assert(safe.new { api_key = "k", business_id = "ok", base_url = recorder:url "http", timeout = 20 })
      one[name](one, fixture.message)
      one:close()
      local counts = recorder:counts()
      assert.same({ fixture.method .. " /v1/businesses/ok" .. fixture.path }, counts.targets)
      assert.same({ body }, counts.bodies)
    end)

    for _, status in ipairs(name ~= "request" and { 200, 201 } or {}) do
      it(("%s is what comes with %d"):format(name, status), function()
        answer(fixture, status, fixture.reply)
        local value, info = client[name](client, fixture.message)
        assert(value, tostring(info))
        assert.equal(status, info.status)
        check_value(fixture, value)
      end)
    end

    local test = name ~= "request" and it or function() end
    test(name .. " is refused with the documented error", function()
      answer(fixture, 400, ERROR)
      local value, err = client[name](client, fixture.message)
      assert.is_nil(value)
      assert.same(
        { "rejected", "rejected", 400, "ERROR_TYPE_INVALID_REQUEST", "ERROR_CODE_PHONE_NUMBER_BAD_FORMAT" },
        { err.kind, err.outcome, err.status, err.type, err.code })
      assert.equal("15555555555555555555", err.trace_id)
      assert.same({ "short text for a person", "longer text for a person" }, { err.user_title, err.user_message })
    end)
  end

  it("every operation is there", function()
    for _, operation in ipairs(native.operations()) do
      assert(seen[operation.name], operation.name)
    end
  end)
end)
