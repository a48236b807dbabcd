-- Receipts of a feed, newest first: their ids begin with the time.
CREATE INDEX history_batch_receipt ON history_batch (partition_id, feed, receipt) WHERE receipt IS NOT NULL;

-- The newest time that a row of the feed ever had; ticks, the smallest integer where none has one.
ALTER TABLE feed_count ADD COLUMN newest_row INTEGER NOT NULL DEFAULT -9223372036854775808;
