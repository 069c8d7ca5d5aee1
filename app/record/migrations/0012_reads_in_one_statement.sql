-- Since a look is logged by a statement of its own, whose plan a connection keeps, nobody calls these.

DROP FUNCTION record.log_read_and_rows(uuid, text, uuid[], bytea, uuid, bigint);
DROP FUNCTION record.log_read(uuid, text, uuid[], bytea);
