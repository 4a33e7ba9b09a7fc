-- The planner takes a list in a parameter to be a hundred rows long, and would rather read a whole table that
-- is small yet than look up so many rows; the plan is kept when the table has grown. Most lists hold a few
-- rows. That every element has a type is always true, and counted as rare: it makes the list a short one.
CREATE OR REPLACE FUNCTION json_each(rows TEXT) RETURNS TABLE (value JSONB, atom TEXT)
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
        SELECT element, element #>> '{}' FROM jsonb_array_elements(rows::jsonb) AS element
        WHERE jsonb_typeof(element) IN ('object', 'string', 'array', 'number', 'boolean', 'null')
    $$;
