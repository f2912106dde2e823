<?php
// What the Zoom pages ask for.
function rooms_send($path, $fields)
{
    return form(ROOMS_BASE . $path, $fields);
}
