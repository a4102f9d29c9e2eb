# Completion of mailweir for PowerShell.
# In $PROFILE: mailweir completion powershell | Out-String | Invoke-Expression

Register-ArgumentCompleter -Native -CommandName mailweir -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $words = @(
        $commandAst.CommandElements |
            Select-Object -Skip 1 |
            Where-Object { $_.Extent.EndOffset -lt $cursorPosition } |
            ForEach-Object { $_.Extent.Text }
    )
    $found = @(& $commandAst.CommandElements[0].Extent.Text --complete @words "@$wordToComplete" 2>$null)

    # Without an answer PowerShell completes files by itself.
    $found | Where-Object { $_ -and -not $_.StartsWith(':') } | ForEach-Object {
        [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
    }
}
