namespace DataHub.Support;

/// <summary>A test that needs Debian's chromium (or the one that <c>CHROMIUM</c> names): skipped without it, but not in CI (<c>CI=true</c>), where it must be there.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class BrowserFactAttribute : Xunit.FactAttribute
{
    public BrowserFactAttribute()
    {
        if (Chromium is null && Environment.GetEnvironmentVariable("CI") != "true") Skip = "chromium is not installed (apt-get install chromium, or name it in CHROMIUM)";
    }

    /// <summary>Path of the browser; null where there is none.</summary>
    public static string? Chromium { get; } =
        new[] { Environment.GetEnvironmentVariable("CHROMIUM"), "/usr/bin/chromium", "/usr/bin/chromium-browser" }.FirstOrDefault(File.Exists);
}
