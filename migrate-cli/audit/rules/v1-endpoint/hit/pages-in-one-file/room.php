<?php
if (isset($_POST['open'])) {
    $answer = send('https://api.zoom.us/v1/meeting/create', $_POST);
    header('Location: meeting/list');
}
?>
<form method="post" action="user/create"></form>
<script>
window.location = '/user/get';
</script>
