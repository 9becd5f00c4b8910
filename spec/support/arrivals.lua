--- Computes rates from a sorted list of arrival times in seconds.

local arrivals = {}

--- The most in any second that begins with one of them.
function arrivals.busiest_second(list)
  local most, last = 0, 1
  for first = 1, #list do
    while list[last + 1] and list[last + 1] < list[first] + 1 do
      last = last + 1
    end
    most = math.max(most, last - first + 1)
  end
  return most
end

--- How many a second, from the first to the last.
function arrivals.average(list)
  return (#list - 1) / (list[#list] - list[1])
end

--- The longest time without one, and when it began, counted from the first.
function arrivals.longest_gap(list)
  local longest, began = 0, nil
  for index = 2, #list do
    local gap = list[index] - list[index - 1]
    if gap > longest then
      longest, began = gap, list[index - 1] - list[1]
    end
  end
  return longest, began
end

--- Those from `from` to `to` seconds after the first.
function arrivals.between(list, from, to)
  local some = {}
  for _, at in ipairs(list) do
    if at >= list[1] + from and at < list[1] + to then
      some[#some + 1] = at
    end
  end
  return some
end

return arrivals
