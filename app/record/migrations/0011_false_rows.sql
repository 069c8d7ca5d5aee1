-- The web server's role may add rows here, and rows stay for good. A false one takes nobody's place and is dated when
-- it was added; whoever reads them looks for the signature, and passes it over.

ALTER TABLE record.cosignatures DROP CONSTRAINT cosignatures_of_a_checkpoint;
ALTER TABLE record.cosignatures DROP CONSTRAINT cosignatures_pkey;
ALTER TABLE record.checkpoints DROP CONSTRAINT checkpoints_pkey;
ALTER TABLE record.epochs DROP CONSTRAINT epochs_pkey;
ALTER TABLE record.epochs DROP CONSTRAINT epochs_origin_key;

-- The same row twice is once. To take a real one's place its digest would have to be met, not just any two alike.
CREATE UNIQUE INDEX checkpoints_once ON record.checkpoints (origin, size, root, md5(note));
CREATE UNIQUE INDEX cosignatures_once ON record.cosignatures (origin, size, witness, md5(line));
CREATE UNIQUE INDEX epochs_once ON record.epochs (epoch, origin, md5(statement));

REVOKE INSERT ON record.checkpoints, record.cosignatures, record.epochs, record.refusals FROM casebook_app;
GRANT INSERT (origin, size, root, note) ON record.checkpoints TO casebook_app;
GRANT INSERT (origin, size, witness, line) ON record.cosignatures TO casebook_app;
GRANT INSERT (epoch, origin, statement) ON record.epochs TO casebook_app;
GRANT INSERT (why) ON record.refusals TO casebook_app;
