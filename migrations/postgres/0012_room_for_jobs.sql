-- A job's row changes with every task: with room beside it the new version needs no place in any index.
ALTER TABLE jobs SET (fillfactor = 50);
