-- What replies to campaigns mean, and entries in chunks: connectly.campaigns without
-- a network. The way over HTTP is in endpoints_spec.

local campaigns = require "connectly.campaigns"
local errors = require "connectly.errors"

local INFO = { status = 200, attempts = 1 }

local function item(accepted, rejected, problem)
  return { acceptedCount = accepted, rejectedCount = rejected, error = problem }
end

describe("a reply to campaigns", function()
  it("is a result when all was accepted", function()
    local result, info = campaigns.judge({ data = { item(2, 0), item(3) } }, INFO)
    assert.equal(5, result.accepted)
    assert.equal(0, result.rejected)
    assert.equal(2, #result.sendouts)
    assert.equal(3, result.sendouts[2].accepted)
    assert.equal(INFO, info)
  end)

  it("is an error when an entry was rejected, whatever its status", function()
    local result, err = campaigns.judge({ data = { item(2, 1), item(3, 0) } }, INFO)
    assert.is_nil(result)
    assert.is_true(errors.is_error(err))
    assert.equal("rejected", err.kind)
    assert.equal("unknown", err.outcome) -- five did go
    assert.is_false(err.retryable)
    assert.equal(1, err.result.rejected)
    assert.equal(5, err.result.accepted)
  end)

  it("says rejected when none was accepted", function()
    local _, err = campaigns.judge({ data = { item(0, 3) } }, INFO)
    assert.equal("rejected", err.outcome)
    assert.equal("3 entries were rejected, 0 accepted", err.message)
  end)

  it("is an error when a sendout has one, though nothing was counted as rejected", function()
    local _, err = campaigns.judge({ data = { item(0, 0, "no such campaign") } }, INFO)
    assert.equal("rejected", err.kind)
    assert.equal("no such campaign", err.user_message)
    assert.is_nil(tostring(err):find("no such campaign", 1, true))
  end)

  it("that counts nothing is no success", function()
    local cjson = require "cjson"
    local odd = {
      {}, { data = {} }, { data = "x" }, { data = cjson.null }, { data = { {} } }, { data = { "x" } },
      { data = { item("two", 0) } }, { data = { item(-1, 0) } }, { data = { item(1.5, 0) } },
      { data = { item(3, "x") } }, { data = { item(3, {}) } }, { data = { item(1, 0), {} } }, "text", cjson.null, 3,
    }
    for index, reply in ipairs(odd) do
      local result, err = campaigns.judge(reply, INFO, 3, "the reply")
      assert.is_nil(result, "reply " .. index)
      assert.equal("protocol", err.kind)
      assert.equal("unknown", err.outcome)
      assert.equal("the reply", err.body)
      assert.same({ 200, 1 }, { err.status, err.attempts })
    end
  end)

  it("counts digits that are texts, and what was left out as 0", function()
    assert.equal(3, assert(campaigns.judge({ data = { item("3", "0") } }, INFO, 3)).accepted)
    local _, err = campaigns.judge({ data = { item(3, "2") } }, INFO, 5)
    assert.same({ "unknown", 2 }, { err.outcome, err.result.rejected })
    _, err = campaigns.judge({ data = { item(nil, 3, "nope") } }, INFO, 3)
    assert.same({ "rejected", "rejected", "nope" }, { err.kind, err.outcome, err.user_message })
  end)

  it("is an error whatever stands for one", function()
    for _, problem in ipairs { true, 131026, "x", {} } do
      local result, err = campaigns.judge({ data = { item(3, 0, problem) } }, INFO, 3)
      assert.is_nil(result)
      assert.same({ "rejected", "unknown" }, { err.kind, err.outcome })
    end
    assert.is_nil((campaigns.judge({ data = { item(3, 0) }, error = "x" }, INFO, 3)))
    for _, problem in ipairs { false, "" } do
      assert(campaigns.judge({ data = { item(3, 0, problem) } }, INFO, 3))
    end
  end)

  it("that does not account for all is no success, and nothing that may be repeated", function()
    for _, counts in ipairs { { 1, 0 }, { 0, 1 }, { 99, 0 }, { 0, 0 }, { 2, 2 } } do
      local result, err = campaigns.judge({ data = { item(counts[1], counts[2]) } }, INFO, 3)
      assert.is_nil(result)
      assert.equal("unknown", err.outcome)
      assert.same({ 200, 1 }, { err.status, err.attempts })
    end
  end)

  it("takes null for no error", function()
    local result = campaigns.judge({ data = { item(1, 0, require("cjson").null) } }, INFO)
    assert.is_nil(result.sendouts[1].error)
  end)
end)

describe("entries in chunks", function()
  local sent, answers

  local function entries(count)
    local list = {}
    for index = 1, count do
      list[index] = { number = ("+1415555%04d"):format(index), campaign_name = "w" }
    end
    return list
  end

  local function send(message)
    sent[#sent + 1] = message
    local answer = answers[#sent] or { data = { item(#message.entries, 0) } }
    if errors.is_error(answer) then
      return nil, answer
    end
    return campaigns.judge(answer, INFO, campaigns.count(message))
  end

  local function fine() return true end

  before_each(function()
    sent, answers = {}, {}
  end)

  it("go one request after the other, each once", function()
    local given = entries(25)
    local result = campaigns.send({ entries = given, traceparent = "t" }, { chunk_size = 10 }, send, fine)
    assert.equal(25, result.accepted)
    assert.same({ 10, 10, 5 }, { #sent[1].entries, #sent[2].entries, #sent[3].entries })
    assert.equal(given[11], sent[2].entries[1])
    assert.equal("t", sent[3].traceparent)
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
