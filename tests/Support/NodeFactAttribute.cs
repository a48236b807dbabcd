namespace DataHub.Support;

/// <summary>A test that needs Node.js: skipped with the reason where there is none, except where <c>CI=true</c>.</summary>
public sealed class NodeFactAttribute : FactAttribute
{
    public NodeFactAttribute()
    {
        var isThere = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, OperatingSystem.IsWindows() ? "node.exe" : "node")));
        if (!isThere && Environment.GetEnvironmentVariable("CI") != "true") Skip = "Node.js is not installed; https://nodejs.org has it.";
    }
}
