--- Shared by the benchmarks: medians, interleaved rounds, and the printed lines.

local measure = {}

---@param values number[]
---@param share number?  0.5, the median, when absent
---@return number
function measure.quantile(values, share)
  local sorted = {}
  for index, value in ipairs(values) do
    sorted[index] = value
  end
  table.sort(sorted)
  return sorted[math.max(1, math.ceil(#sorted * (share or 0.5)))]
end

--- The median of the quotients of two lists, round by round: what disturbs the
--- machine for longer than a round disturbs both alike.
---@param values number[]
---@param others number[]
---@return number
function measure.ratio(values, others)
  local quotients = {}
  for index, value in ipairs(values) do
    quotients[index] = value / others[index]
  end
  return measure.quantile(quotients)
end

local function time_of(action, count)
  collectgarbage()
  local start = os.clock()
  for turn = 1, count do
    action(turn)
  end
  return (os.clock() - start) / count
end

--- CPU seconds a call of each action, round after round, the first moved on by
--- one each round. Every action pays for the garbage it makes, and for its only.
---@param actions (fun(turn: integer))[]
---@param options { rounds: integer, count: integer }
---@return number[][] seconds  for each action, one a round
function measure.interleaved(actions, options)
  local seconds = {}
  for index, action in ipairs(actions) do
    seconds[index] = {}
    time_of(action, options.count)
  end
  for round = 1, options.rounds do
    for step = 1, #actions do
      local index = (round + step) % #actions + 1
      seconds[index][round] = time_of(actions[index], options.count)
    end
  end
  return seconds
end

local function verdict(ratio, goal)
  if not goal then
    return ""
  end
  return ("   goal %.2f: %s"):format(goal, ratio <= goal and "met" or "MISSED")
end

---@param name string
---@param time string  with its unit
---@param ratio number?  against the line that is 1
---@param goal number?
function measure.print_line(name, time, ratio, goal)
  local shown = ratio and ("%6.2f"):format(ratio) or ""
  print(("  %-46s %12s %s%s"):format(name, time, shown, ratio and verdict(ratio, goal) or ""))
end

return measure
