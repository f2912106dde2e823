<?php
if ($_POST['status'] === 'STARTED') {
    begin($_POST['uuid'], $_POST['host_id']);
}
