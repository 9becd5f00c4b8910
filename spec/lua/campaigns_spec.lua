-- What replies to campaigns mean, on each way to send them, and entries in chunks:
-- through the client, at a sandbox that answers as it is told. What the core makes
-- of a reply has its tables in spec/core/sendouts_test.c; more of the way over HTTP is
-- in endpoints_spec.

local campaigns = require "connectly.campaigns"
local cjson = require "cjson"
local errors = require "connectly.errors"
local safe = require "connectly.safe"
local sandboxes = require "spec.support.sandbox"

local TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

local function item(accepted, rejected, problem)
  return { acceptedCount = accepted, rejectedCount = rejected, error = problem }
end

local function entries(count)
  local list = {}
  for index = 1, count do
    list[index] = { number = ("+1415555%04d"):format(index), campaign_name = "w" }
  end
  return list
end

local sandbox

local function new_client(options)
  options = options or {}
  options.api_key, options.business_id = sandbox.api_key, sandbox.business_id
  options.base_url, options.timeout = sandbox.base_url, 20
  return assert(safe.new(options))
end

--- The next request for campaigns is answered so: with a table, or with a text as it is.
local function answer(reply, status)
  local body = type(reply) == "string" and reply or cjson.encode(reply)
  sandbox:reply { operation = "send_campaigns", status = status or 200, body = body }
end

-- Each way to send a request, and what comes of it: value, info; or nil, error.
local ways = {
  { "a call that is waited for", function(client, message) return client:send_campaigns(message) end },
  { "a call in the background", function(client, message) return client:start("send_campaigns", message):wait(20) end },
  { "send_many", function(client, message)
    local found
    for result in client:send_many({ message }, { operation = "send_campaigns" }) do
      found = result
    end
    return found.id, found.error or found.info
  end },
}

setup(function() sandbox = sandboxes.start() end)

teardown(function() sandbox:stop() end)

before_each(function() sandbox:reset() end)

for _, way in ipairs(ways) do
  describe("to " .. way[1] .. " a reply to campaigns", function()
    local client
    local send = way[2]

    setup(function() client = new_client() end)

    teardown(function() client:close() end)

    --- What a request with so many entries says of a reply.
    local function judge(reply, count, message)
      answer(reply)
      return send(client, message or { entries = entries(count) })
    end

    it("is a result when all was accepted", function()
      local result, info = judge({ data = { item(2, 0), item(3) } }, 5)
      assert.equal(5, result.accepted)
      assert.equal(0, result.rejected)
      assert.equal(2, #result.sendouts)
      assert.equal(3, result.sendouts[2].accepted)
      assert.same(item(3), result.sendouts[2].reply)
      assert.same({ 200, 1 }, { info.status, info.attempts })
    end)

    it("is an error when an entry was rejected, whatever its status", function()
      local result, err = judge({ data = { item(2, 1), item(3, 0) } }, 6)
      assert.is_nil(result)
      assert.is_true(errors.is_error(err))
      assert.equal("rejected", err.kind)
      assert.equal("unknown", err.outcome) -- five did go
      assert.is_false(err.retryable)
      assert.equal(1, err.result.rejected)
      assert.equal(5, err.result.accepted)
      assert.same({ 200, 1 }, { err.status, err.attempts })
      assert.same(item(2, 1), err.result.sendouts[1].reply)
      assert.equal("`result.sendouts` has what the API said of each campaign; repeat only what was not accepted", err.hint)
      assert.is_nil(err.body)
    end)

    it("says rejected when none was accepted", function()
      local _, err = judge({ data = { item(0, 3) } }, 3)
      assert.equal("rejected", err.outcome)
      assert.equal("3 entries were rejected, 0 accepted", err.message)
    end)

    it("is an error when a sendout has one, though nothing was counted as rejected", function()
      local _, err = judge({ data = { item(0, 0, "no such campaign") } }, 3)
      assert.equal("rejected", err.kind)
      assert.equal("rejected", err.outcome)
      assert.equal("a sendout failed; 0 entries were accepted", err.message)
      assert.equal("no such campaign", err.user_message)
      assert.equal("no such campaign", err.result.sendouts[1].error)
      assert.is_nil(tostring(err):find("no such campaign", 1, true))
    end)

    it("that counts nothing is no success", function()
      local odd = {
        '{}', { data = {} }, '{"data":[]}', { data = "x" }, { data = cjson.null }, { data = { {} } }, { data = { "x" } },
        { data = { item("two", 0) } }, { data = { item(-1, 0) } }, { data = { item(1.5, 0) } },
        { data = { item(3, "x") } }, { data = { item(3, {}) } }, { data = { item(1, 0), {} } }, '"text"', "null", "3",
        '{"id":"01ARZ3NDEKTSV4RRFFQ69G5FAV"}',
      }
      for index, reply in ipairs(odd) do
        local result, err = judge(reply, 3)
        assert.is_nil(result, "reply " .. index)
        assert.equal("protocol", err.kind)
        assert.equal("unknown", err.outcome)
        assert.equal("the reply does not say how many entries were accepted", err.message)
        assert.matches("look for its delivery statuses before sending it again$", err.hint)
        assert.equal(type(reply) == "string" and reply or cjson.encode(reply), err.body)
        assert.same({ 200, 1 }, { err.status, err.attempts })
      end
    end)

    it("with a wanted name twice is no success, whichever of the two would be read", function()
      for _, reply in ipairs {
        '{"data":[{"acceptedCount":3,"acceptedCount":0}]}', '{"data":[{"acceptedCount":0,"\\u0061cceptedCount":3}]}',
        '{"data":[{"acceptedCount":3,"rejectedCount":3,"rejectedCount":0}]}',
        '{"data":[{"acceptedCount":3,"error":"x","error":null}]}',
        '{"data":[{"acceptedCount":3}],"data":[{"acceptedCount":3}]}',
        '{"data":[{"acceptedCount":3}],"error":"x","error":null}',
      } do
        local result, err = judge(reply, 3)
        assert.is_nil(result, reply)
        assert.same({ "protocol", "unknown" }, { err.kind, err.outcome })
      end
    end)

    it("counts digits that are texts, and what was left out as 0", function()
      assert.equal(3, assert(judge({ data = { item("3", "0") } }, 3)).accepted)
      local _, err = judge({ data = { item(3, "2") } }, 5)
      assert.same({ "unknown", 2 }, { err.outcome, err.result.rejected })
      _, err = judge({ data = { item(nil, 3, "nope") } }, 3)
      assert.same({ "rejected", "rejected", "nope" }, { err.kind, err.outcome, err.user_message })
    end)

    it("is an error whatever stands for one", function()
      for _, problem in ipairs { true, 131026, "x", {} } do
        local result, err = judge({ data = { item(3, 0, problem) } }, 3)
        assert.is_nil(result)
        assert.same({ "rejected", "unknown" }, { err.kind, err.outcome })
        assert.same(problem, err.result.sendouts[1].error)
      end
      assert.is_nil((judge({ data = { item(3, 0) }, error = "x" }, 3)))
      for _, problem in ipairs { false, "" } do
        assert(judge({ data = { item(3, 0, problem) } }, 3))
      end
    end)

    it("that does not account for all is no success, and nothing that may be repeated", function()
      for _, counts in ipairs { { 1, 0 }, { 0, 1 }, { 99, 0 }, { 0, 0 }, { 2, 2 }, { 1e14, 0 } } do
        local result, err = judge({ data = { item(counts[1], counts[2]) } }, 3)
        assert.is_nil(result)
        assert.equal("unknown", err.outcome)
        assert.same({ 200, 1 }, { err.status, err.attempts })
      end
    end)

    it("takes null for no error", function()
      local result = judge({ data = { item(1, 0, cjson.null) } }, 1)
      assert.is_nil(result.sendouts[1].error)
    end)

    it("must account for entries that only the core can count", function()
      local hidden = entries(2)
      local list = setmetatable({}, {
        __len = function() return 2 end, __index = function(_, index) return hidden[index] end,
      })
      local result, err = judge({ data = { item(1, 0) } }, nil, { entries = list })
      assert.is_nil(result)
      assert.equal("the reply accounts for 1 of 2 entries", err.message)
    end)

    it("shows no key that it echoes", function()
      local body = cjson.encode { data = { { acceptedCount = 1, rejectedCount = 2, error = "bad " .. sandbox.api_key } } }
      local result, err = judge(body, 3)
      assert.is_nil(result)
      assert.equal(1, err.result.sendouts[1].accepted)
      assert.equal("bad " .. ("*"):rep(#sandbox.api_key), err.user_message)
      assert.equal(err.user_message, err.result.sendouts[1].reply.error)
      assert.equal(err.user_message, err.result.sendouts[1].error)
      result, err = judge(cjson.encode { data = { { acceptedCount = 3, name = sandbox.api_key } } }, 3)
      assert(result, tostring(err))
      assert.equal(("*"):rep(#sandbox.api_key), result.sendouts[1].reply.name)
      result, err = judge(cjson.encode { data = {}, note = sandbox.api_key }, 3)
      assert.is_nil(result)
      assert.is_nil(err.body:find(sandbox.api_key, 1, true))
    end)

    --- The client's counters that are not 0, and the ends that on_event was told of.
    local function account(reply, count, options)
      local ends = {}
      options = options or {}
      options.on_event = function(event)
        if event.name == "attempt" or event.name == "done" then
          ends[#ends + 1] = ("%s: %s %s %d"):format(
            event.name, event.kind or "ok", event.outcome or "-", event.status)
        end
      end
      local one = new_client(options)
      answer(reply)
      send(one, { entries = entries(count) })
      local stats, ended = one:stats(), {}
      for _, name in ipairs { "succeeded", "not_sent", "rejected", "unknown" } do
        ended[name] = stats[name] ~= 0 and stats[name] or nil
      end
      assert.same({ 1, 1, 0 }, { stats.calls, stats.attempts, stats.in_flight })
      one:close()
      return ended, ends
    end

    it("is what stats and on_event say of it", function()
      for _, case in ipairs {
        { { data = { item(2, 1) } }, "unknown", "rejected" },
        { { data = { item(0, 3) } }, "rejected", "rejected" },
        { { data = { item(0, 0, "no such campaign") } }, "rejected", "rejected" },
        { { data = { item(3, 0) }, error = "x" }, "unknown", "rejected" },
        { { data = { item(2, 0) } }, "unknown", "protocol" },
        { { data = { item(4, 0) } }, "unknown", "protocol" },
        { "{}", "unknown", "protocol" },
      } do
        local ended, ends = account(case[1], 3)
        assert.same({ [case[2]] = 1 }, ended)
        local said = ("%s %s 200"):format(case[3], case[2])
        assert.same({ "attempt: " .. said, "done: " .. said }, ends)
      end
      local ended, ends = account({ data = { item(3, 0) } }, 3)
      assert.same({ succeeded = 1 }, ended)
      assert.same({ "attempt: ok - 200", "done: ok - 200" }, ends)
    end)

    it("is not asked for again, though it is no success, also by a client that repeats what is in doubt", function()
      for _, reply in ipairs { { data = { item(2, 1) } }, { data = { item(2, 0) } }, { data = {} }, '{"data":[]}' } do
        account(reply, 3, { retry_unknown = true, max_attempts = 5 })
      end
      local _, requests = sandbox:deliveries()
      assert.equal(4, requests)
    end)
  end)
end

describe("entries in chunks", function()
  local sent, answers, client

  local function send(message)
    sent[#sent + 1] = message
    local reply = answers[#sent] or { data = { item(#message.entries, 0) } }
    if errors.is_error(reply) then
      return nil, reply
    end
    answer(reply)
    return client:start("send_campaigns", message):wait(20)
  end

  local function fine() return true end

  setup(function() client = new_client() end)

  teardown(function() client:close() end)

  before_each(function()
    sent, answers = {}, {}
  end)

  it("go one request after the other, each once", function()
    local given = entries(25)
    local result = campaigns.send({ entries = given, traceparent = TRACE }, { chunk_size = 10 }, send, fine)
    assert.equal(25, result.accepted)
    assert.same({ 10, 10, 5 }, { #sent[1].entries, #sent[2].entries, #sent[3].entries })
    assert.equal(given[11], sent[2].entries[1])
    assert.equal(TRACE, sent[3].traceparent)
    assert.same({ first = 21, last = 25, outcome = "accepted" }, result.chunks[3])
  end)

  it("are all checked before the first goes", function()
    local function check(message)
      if message.entries[1].number == "+14155550011" then
        return nil, errors.new { kind = "argument", outcome = "not_sent", message = "entries[2].number: bad",
          param = "entries[2].number", problems = { { param = "entries[2].number", message = "bad" } } }
      end
      return true
    end
    local result, err = campaigns.send({ entries = entries(25) }, { chunk_size = 10 }, send, check)
    assert.is_nil(result)
    assert.equal("entries[12].number", err.param)
    assert.equal("entries[12].number: bad", err.message)
    assert.equal("entries[12].number", err.problems[1].param)
    assert.equal(0, #sent)
  end)

  it("hold nobody twice, in whatever spelling", function()
    local list = entries(25)
    list[24] = { client = { id = list[3].number }, campaignName = "w" }
    local _, err = campaigns.send({ entries = list }, { chunk_size = 10 }, send, fine)
    assert.equal("argument", err.kind)
    assert.equal("entries[24]: the same number and campaign as entries[3]", err.message)
    assert.equal(0, #sent)
    list[24].campaign_version = "2"
    assert(campaigns.send({ entries = list }, { chunk_size = 10 }, send, fine))
  end)

  it("go on after a chunk of which some were rejected", function()
    answers[2] = { data = { item(8, 2) } }
    local _, err = campaigns.send({ entries = entries(25) }, { chunk_size = 10 }, send, fine)
    assert.equal(3, #sent)
    assert.equal("unknown", err.outcome)
    assert.equal(23, err.result.accepted)
    assert.equal(2, err.result.rejected)
    assert.same({ "accepted", "unknown", "accepted" },
      { err.result.chunks[1].outcome, err.result.chunks[2].outcome, err.result.chunks[3].outcome })
  end)

  it("stop at a chunk that failed, and say which were not sent", function()
    answers[2] = errors.new { kind = "network", outcome = "not_sent", message = "cannot reach the API" }
    answers[2].retryable = true
    local _, err = campaigns.send({ entries = entries(25) }, { chunk_size = 10 }, send, fine)
    assert.equal(2, #sent)
    assert.equal("network", err.kind)
    assert.equal("unknown", err.outcome) -- the first ten did go
    assert.is_false(err.retryable)
    assert.same({ "accepted", "not_sent" }, { err.result.chunks[1].outcome, err.result.chunks[2].outcome })
    assert.equal(11, err.result.chunks[2].first)
  end)

  it("that failed at once stay what they are", function()
    answers[1] = errors.new { kind = "network", outcome = "not_sent", message = "cannot reach the API" }
    answers[1].retryable = true
    local _, err = campaigns.send({ entries = entries(25) }, { chunk_size = 10 }, send, fine)
    assert.equal("not_sent", err.outcome)
    assert.is_true(err.retryable)
  end)

  it("that the reply does not account for are no success", function()
    answers[1] = { data = { item(3, 0) } }
    local _, err = campaigns.send({ entries = entries(5) }, nil, send, fine)
    assert.equal("protocol", err.kind)
    assert.equal("unknown", err.outcome)
    assert.equal("the reply accounts for 3 of 5 entries", err.message)
  end)

  it("are in doubt as a whole when one chunk is", function()
    for _, later in ipairs { "network", "server", "protocol" } do
      sent = {}
      answers = {
        { data = { item(0, 10) } },
        errors.new { kind = later, outcome = "unknown", message = "lost" },
      }
      local _, err = campaigns.send({ entries = entries(25) }, { chunk_size = 10 }, send, fine)
      assert.same({ "rejected", "unknown", false }, { err.kind, err.outcome, err.retryable })
      assert.same({ "rejected", "unknown" }, { err.result.chunks[1].outcome, err.result.chunks[2].outcome })
      assert.equal(2, #sent)
    end
  end)

  it("that are no plain list are left to the core, as they are", function()
    local one, two = entries(2)[1], entries(2)[2]
    for _, list in ipairs {
      { [1] = one, [3] = two }, { one, x = two }, { [0] = one, two }, { [1.5] = one, two },
      setmetatable({}, { __len = function() return 1e15 end, __index = function() return one end }), {},
    } do
      sent = {}
      local message = { entries = list }
      campaigns.send(message, { chunk_size = 1 }, function(given)
        sent[#sent + 1] = given
        return nil, errors.new { kind = "argument", outcome = "not_sent", message = "no" }
      end, fine)
      assert.equal(1, #sent)
      assert.equal(message, sent[1])
    end
  end)

  it("of one version are one, however it is written", function()
    local list = entries(12)
    list[1].campaign_version, list[12] = 2, { number = list[1].number, campaign_name = "w", campaign_version = 2.0 }
    local _, err = campaigns.send({ entries = list }, { chunk_size = 10 }, send, fine)
    assert.equal("entries[12]", err.param)
  end)

  it("take no other option", function()
    assert.has_error(function() campaigns.send({ entries = entries(1) }, { chunk_sise = 1 }, send, fine) end)
    assert.has_error(function() campaigns.send({ entries = entries(1) }, "x", send, fine) end)
  end)

  it("have a size that makes sense", function()
    for _, size in ipairs { 0, -1, 1.5, 1001, "10" } do
      assert.has_error(function()
        campaigns.send({ entries = entries(1) }, { chunk_size = size }, send, fine)
      end, "connectly: send_campaigns: chunk_size: whole number from 1 to 1000 expected")
    end
  end)
end)
