-- Reads a log: its epoch, its last sequence number, and the messages after a position, or nil unless all of them are kept
-- and not too large.
-- KEYS: the messages (a stream with ids SEQUENCE-MILLISECONDS), the state of the log (a hash).
-- ARGV: the run_id of the server, the epoch if the log is new, max_messages, max_age in ms, the position's epoch and sequence,
-- the maximum of the messages' bytes.

-- Another one once the server has become a primary again, which may happen while links stay connected to it.
local replication = string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)')
local run = ARGV[1] .. ':' .. (replication or '')
local state = redis.call('HMGET', KEYS[2], 'run', 'epoch', 'last')
local epoch, last = state[2], tonumber(state[3])
if state[1] ~= run then
  redis.call('DEL', KEYS[1], KEYS[2])
  epoch, last = ARGV[2], 0
  redis.call('HSET', KEYS[2], 'run', run, 'epoch', epoch, 'last', last)
end
-- A position is good for as long. The messages expire with the last append.
redis.call('PEXPIRE', KEYS[2], ARGV[4])
local after = tonumber(ARGV[6])
if ARGV[5] ~= epoch or after > last or last - after > tonumber(ARGV[3]) then
  return { epoch, last, false }
end
if after == last then
  return { epoch, last, {} }
end
local messages, sequence, bytes = {}, after, 0
while sequence < last do
  -- Few at a time, because each may be large.
  local page = redis.call('XRANGE', KEYS[1], string.format('%.0f', sequence + 1), '+', 'COUNT', 8)
  for _, message in ipairs(page) do
    sequence = sequence + 1
    bytes = bytes + #message[2][2]
    if tonumber(string.match(message[1], '^%d+')) ~= sequence or bytes > tonumber(ARGV[7]) then
      return { epoch, last, false }
    end
    messages[#messages + 1] = message
  end
  if #page == 0 then
    return { epoch, last, false }
  end
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if tonumber(string.match(messages[1][1], '%d+$')) <= now - ARGV[4] then
  return { epoch, last, false }
end
return { epoch, last, messages }
